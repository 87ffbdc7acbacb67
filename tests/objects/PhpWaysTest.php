<?php

declare(strict_types=1);

namespace Tortoise\Tests\Objects;

use Tortoise\Tests\Support\TestCase;
use Vessel;

use function Tortoise\register;

/** What else PHP does with objects: copying, storing, printing, binding late. */
final class PhpWaysTest extends TestCase
{
    private Vessel $vessel;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
        require_once __DIR__ . '/VesselOfPhp.php';
    }

    protected function setUp(): void
    {
        $this->vessel = new Vessel('p');
    }

    public function testACloneIsPythonsCopy(): void
    {
        $copy = clone $this->vessel;
        $copy->name = 'copy';
        self::assertSame(['p', 'copy'], [$this->vessel->name, $copy->name]);
    }

    public function testSerializeIsRefused(): void
    {
        foreach ([$this->vessel, [$this->vessel], $this->vessel->function(), $this->vessel->namespace()] as $value) {
            try {
                serialize($value);
                self::fail('it was serialized');
            } catch (\Exception $error) {
                self::assertStringContainsString('not allowed', $error->getMessage());
            }
        }
        $this->expectException(\Exception::class);
        $this->expectExceptionMessage('not allowed');
        unserialize('O:6:"Vessel":0:{}');
    }

    public function testPrintingIsHarmless(): void
    {
        ob_start();
        var_dump($this->vessel, $this->vessel->function());
        print_r($this->vessel);
        var_export($this->vessel);
        $printed = (string) ob_get_clean();
        self::assertStringContainsString('object(Vessel)', $printed);
        self::assertStringContainsString('Vessel Object', $printed);
        self::assertIsArray((array) $this->vessel);
        self::assertIsArray(get_object_vars($this->vessel));
        self::assertSame('p', $this->vessel->name);
    }

    public function testALoopOverWhatCannotBeIteratedSaysSo(): void
    {
        $this->expectException(\Tortoise\Python\TypeError::class);
        $this->expectExceptionMessage("'Vessel' object is not iterable");
        foreach ($this->vessel as $value) {
            self::fail('there is nothing to iterate over');
        }
    }

    public function testAnObjectIsNoText(): void
    {
        $this->expectException(\Error::class);
        $this->expectExceptionMessage('could not be converted to string');
        (string) $this->vessel;
    }

    public function testAnObjectIsNoArray(): void
    {
        $this->expectException(\Error::class);
        $this->expectExceptionMessage('Cannot use object of type Vessel as array');
        $this->vessel['x'];
    }

    public function testStaticMethodsThroughPhpSubclasses(): void
    {
        self::assertSame(3, VesselOfPhp::add(1, 2));
        self::assertSame(['php', 3], VesselOfPhp::twiceAdded(1));
        self::assertSame('late', VesselOfPhp::launchLate('late')->name);
        self::assertSame('php launch', VesselOfPhp::viaStatic());
        self::assertSame('Vessel', Vessel::which());
        self::assertSame('Vessel', $this->vessel::which());
        self::assertSame('Vessel', $this->vessel->which());
        self::assertSame(2, VesselOfPhp::SIDES);
        self::assertSame(2, $this->vessel::SIDES);
        self::assertInstanceOf(Vessel::class, Vessel::launch());
    }

    public function testAStaticNameThatOnlyPythonKnows(): void
    {
        $class = \Tortoise\type('Vessel');
        $class->attached = $this->vessel->function();
        try {
            self::assertSame([[1], ['k' => 2]], Vessel::attached(1, k: 2));
        } finally {
            unset($class->attached);
        }
        $this->expectException(\Error::class);
        $this->expectExceptionMessage('Call to undefined method Vessel::absent()');
        Vessel::absent();
    }

    public function testAnInstanceMethodIsNotStatic(): void
    {
        $this->expectException(\Error::class);
        $this->expectExceptionMessage('Non-static method Vessel::nest() cannot be called statically');
        Vessel::nest();
    }

    public function testAnUndefinedMethodIsPhpsError(): void
    {
        try {
            $this->vessel->absent(1);
            self::fail('there is such a method');
        } catch (\Error $error) {
            self::assertSame('Call to undefined method Vessel::absent()', $error->getMessage());
            self::assertSame(__FILE__, $error->getFile());
        }
    }

    public function testNullsafeAndChains(): void
    {
        self::assertNull($this->vessel->child?->myself()->name);
        self::assertSame('child', $this->vessel->nest()?->myself()->name);
    }

    public function testGeneratorsAndFibersMayHoldObjects(): void
    {
        $generator = (function () {
            $inner = new Vessel('inner');
            yield $inner->name;
            yield $inner->upper;
        })();
        self::assertSame(['inner', 'INNER'], iterator_to_array($generator));
        $fiber = new \Fiber(function (): string {
            $inner = new Vessel('fibre');
            \Fiber::suspend($inner->name);

            return $inner->upper;
        });
        self::assertSame('fibre', $fiber->start());
        self::assertSame('p', $this->vessel->name);
        $fiber->resume();
        self::assertSame('FIBRE', $fiber->getReturn());
    }
}
