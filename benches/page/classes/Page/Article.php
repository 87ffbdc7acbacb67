<?php

declare(strict_types=1);

/** The Python class of this name, in PHP. */
class Page_Article
{
    public function __construct(private readonly int $number) {}

    public function title(): string
    {
        return "article {$this->number}";
    }

    public function price(): int
    {
        return $this->number * 100;
    }
}
