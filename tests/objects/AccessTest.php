<?php

declare(strict_types=1);

namespace Tortoise\Tests\Objects;

use Tortoise\AccessException;
use Tortoise\Tests\Support\TestCase;
use Vessel;

use function Tortoise\register;

/** Names with a leading underscore are not for clients, in whatever way they are asked for. */
final class AccessTest extends TestCase
{
    private const PRIVATE = ['_secret', '_private', '_absent', '__dict__', '__class__', '__init__', '__globals__', '_Vessel__mangled', '__'];

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    /** @return iterable<string, array{string}> */
    public static function privateNames(): iterable
    {
        foreach (self::PRIVATE as $name) {
            yield $name => [$name];
        }
    }

    /** @dataProvider privateNames */
    public function testReadingIsRefused(string $name): void
    {
        $this->assertRefused($name, static fn(Vessel $vessel) => $vessel->$name);
    }

    /** @dataProvider privateNames */
    public function testWritingIsRefused(string $name): void
    {
        $this->assertRefused($name, static function (Vessel $vessel) use ($name): void {
            $vessel->$name = 1;
        });
    }

    /** @dataProvider privateNames */
    public function testUnsettingIsRefused(string $name): void
    {
        $this->assertRefused($name, static function (Vessel $vessel) use ($name): void {
            unset($vessel->$name);
        });
    }

    /** @dataProvider privateNames */
    public function testCallingIsRefused(string $name): void
    {
        $vessel = new Vessel();
        foreach ([static fn() => $vessel->$name(), static fn() => Vessel::$name(), static fn() => \Tortoise\type('Vessel')->$name()] as $call) {
            try {
                $call();
                self::fail("{$name} was called");
            } catch (\Error | AccessException $error) {
                self::assertStringContainsString($name, $error->getMessage());
                self::assertSame(__FILE__, $error->getFile());
            }
        }
    }

    /** @dataProvider privateNames */
    public function testAskingIsAnsweredAsIfItWereNotThere(string $name): void
    {
        $vessel = new Vessel();
        self::assertFalse(isset($vessel->$name));
        self::assertTrue(empty($vessel->$name));
        self::assertFalse(property_exists($vessel, $name));
        self::assertFalse(method_exists($vessel, $name));
        self::assertFalse(\is_callable([$vessel, $name]));
        self::assertSame('d', $vessel->$name ?? 'd');
    }

    public function testTheSessionIsUnharmedAndPrivateNamesStayPythons(): void
    {
        $vessel = new Vessel();
        try {
            $vessel->_secret = 'changed';
        } catch (AccessException) {
        }
        self::assertSame("'hidden'", $vessel->shown('_secret'));
    }

    public function testNamesThatNoAttributeHas(): void
    {
        $vessel = new Vessel();
        foreach (['a.b', '', str_repeat('x', 2000)] as $name) {
            foreach ([static fn() => $vessel->$name, static function () use ($vessel, $name): void { $vessel->$name = 1; }] as $use) {
                try {
                    $use();
                    self::fail('the name was used: ' . substr($name, 0, 20));
                } catch (\Throwable $error) {
                    self::assertNotInstanceOf(\Tortoise\ConnectionException::class, $error);
                    self::assertStringNotContainsString('internal error', $error->getMessage());
                }
            }
        }
        self::assertSame('v', $vessel->name, 'the session and the object are still there');
    }

    /** @param callable(Vessel): mixed $use */
    private function assertRefused(string $name, callable $use): void
    {
        $vessel = new Vessel();
        try {
            $use($vessel);
            self::fail("{$name} was touched");
        } catch (AccessException $error) {
            self::assertStringContainsString("\"{$name}\" of Vessel", $error->getMessage());
            self::assertStringContainsString('private', $error->getMessage());
            self::assertSame(__FILE__, $error->getFile());
        }
    }
}
