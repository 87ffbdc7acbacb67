<?php

/**
 * Stands in for the base class of Kohana's unittest module where there is none, or none that PHPUnit of today can load.
 */

declare(strict_types=1);

abstract class Unittest_TestCase extends PHPUnit\Framework\TestCase
{
    public function setUp(): void {}

    public function tearDown(): void {}
}
