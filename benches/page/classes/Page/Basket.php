<?php

declare(strict_types=1);

/** The Python class of this name, in PHP. */
class Page_Basket
{
    /** @var list<array{string, int}> */
    private array $lines = [];

    public function add(string $title, int $cents): int
    {
        $this->lines[] = [$title, $cents];

        return \count($this->lines);
    }

    public function total(): int
    {
        return array_sum(array_column($this->lines, 1));
    }
}
