<?php

declare(strict_types=1);

namespace Tortoise\Tests\Exceptions;

/** A PHP exception whose parent is Python's. */
class HeldInPhp extends \Held_Error
{
    public int $own;

    public function __construct(int $account)
    {
        $this->own = $account;
        parent::__construct('of PHP', $account);
    }
}
