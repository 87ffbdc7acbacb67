<?php

declare(strict_types=1);

/** The Python class of this name, in PHP. */
class Page_Customer
{
    public function __construct(private readonly int $number) {}

    public function name(): string
    {
        return "customer {$this->number}";
    }

    public function discount(int $cents): int
    {
        return intdiv($cents * 9, 10);
    }
}
