<?php

declare(strict_types=1);

namespace Tortoise\Tests\Objects;

use Vessel;

/** A PHP class with a Python parent. */
class VesselOfPhp extends Vessel
{
    /** @return array{string, int} */
    public static function twiceAdded(int $number): array
    {
        return ['php', parent::add($number, $number) + static::add(0)];
    }

    public static function launchLate(string $name): Vessel
    {
        return static::launch($name);
    }

    public static function viaStatic(): string
    {
        return static::which();
    }

    public static function which()
    {
        return 'php launch';
    }
}
