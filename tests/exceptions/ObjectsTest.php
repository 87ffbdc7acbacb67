<?php

declare(strict_types=1);

namespace Tortoise\Tests\Exceptions;

use Raising;
use Tortoise\PyObject;
use Tortoise\Python;
use Tortoise\PythonException;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** Behind a PHP exception stands the Python object itself: its attributes can be read, and it goes back as itself. */
final class ObjectsTest extends TestCase
{
    private Raising $raising;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    protected function setUp(): void
    {
        $this->raising = new Raising();
    }

    public function testItsAttributes(): void
    {
        $python = self::raised(fn() => $this->raising->two_arguments())->getPythonException();
        self::assertInstanceOf(PyObject::class, $python);
        self::assertSame(['first', 2, ['first (2)']], [$python->reason, $python->code, $python->args]);
        self::assertSame(14, $python->doubled(7));
        self::assertSame(3, self::raised(fn() => $this->raising->exit())->getPythonException()->code);
        self::assertSame('the value', self::raised(fn() => $this->raising->stop())->getPythonException()->value);
        self::assertSame(2, self::raised(fn() => $this->raising->file())->getPythonException()->errno);
        $python->reason = 'changed';
        self::assertSame('changed', $python->reason);
    }

    public function testItIsTheSameObjectEachTime(): void
    {
        $error = self::raised(fn() => $this->raising->plain());
        self::assertSame($error->getPythonException(), $error->getPythonException());
        $kept = $this->raising->caught();
        self::assertInstanceOf(PyObject::class, $kept);
        self::assertNotInstanceOf(\Throwable::class, $kept, 'as a value it is an object like any other');
        $this->raising->keep($kept);
        $thrown = self::raised(fn() => $this->raising->raise_kept());
        self::assertSame($kept, $thrown->getPythonException());
        self::assertInstanceOf(Python\ValueError::class, $thrown);
    }

    public function testGivenBackToPythonItIsItself(): void
    {
        $error = self::raised(fn() => $this->raising->two_arguments());
        self::assertTrue($this->raising->is_kind($error, 'Raising_TwoArguments'));
        self::assertTrue($this->raising->same($error, $error->getPythonException()));
        $this->raising->keep($error);
        self::assertTrue($this->raising->kept_is($error));
        self::assertSame($error->getPythonException(), $this->raising->kept);
        self::assertTrue($this->raising->same([$error], [$error]) === false);
    }

    public function testRaisedAgainInPythonItIsTheSame(): void
    {
        $error = self::raised(fn() => $this->raising->two_arguments());
        $again = self::raised(fn() => $this->raising->raise_given($error));
        self::assertInstanceOf(\Raising_TwoArguments::class, $again);
        self::assertSame($error->getPythonException(), $again->getPythonException());
        $outer = self::raised(fn() => $this->raising->raise_from_given($error));
        self::assertSame('from the given', $outer->getMessage());
        self::assertSame($error->getPythonException(), $outer->getPrevious()?->getPythonException());
    }

    public function testAnExceptionThatPhpMadeIsNotPythons(): void
    {
        $error = new PythonException('made in PHP', 5);
        self::assertSame(['made in PHP', 5, '', ''], [$error->getMessage(), $error->getCode(), $error->getPythonClass(), $error->getPythonTraceback()]);
        try {
            $this->raising->keep(['error' => $error]);
            self::fail('it crossed');
        } catch (\Tortoise\StaleObjectException $refused) {
            self::assertStringContainsString('args[0]["error"]', $refused->getMessage());
        }
        $this->expectException(\Tortoise\StaleObjectException::class);
        $this->expectExceptionMessage('made in PHP');
        $error->getPythonException();
    }

    public function testPhpTreatsItLikeItsOwn(): void
    {
        $error = self::raised(fn() => $this->raising->explicit());
        $wrapped = new \RuntimeException('wrapped', 1, $error);
        self::assertSame('outer', $wrapped->getPrevious()?->getMessage());
        self::assertStringContainsString('LookupError: outer in', (string) $error);
        self::assertStringContainsString('Next ', (string) $wrapped);
        self::assertStringContainsString('Raising.py', print_r($error, true));
        try {
            throw $error;
        } catch (Python\LookupError $same) {
            self::assertSame($error, $same);
        } finally {
            $finally = true;
        }
        self::assertTrue($finally ?? false);
        self::assertSame(42, $this->raising->answer());
    }

    public function testAnExceptionClassIsAClassLikeAnyOther(): void
    {
        $class = $this->raising->returned_class();
        self::assertTrue(\is_callable($class));
        $made = $class('made by PHP');
        self::assertSame(['made by PHP'], $made->args);
        $raised = self::raised(fn() => $this->raising->raise_given($made));
        self::assertInstanceOf(Python\KeyError::class, $raised);
        self::assertSame($made, $raised->getPythonException());
    }

    public function testTheSessionLivesOnAfterEverything(): void
    {
        $session = \Tortoise\status()['session'];
        foreach (['exit', 'interrupt', 'real_interrupt', 'recursion', 'recursion_in_c', 'memory', 'huge_allocation', 'cancelled', 'generator_exit', 'text_that_exits'] as $method) {
            self::assertNotSame('', self::raised(fn() => $this->raising->$method())::class);
            self::assertSame(42, $this->raising->answer(), $method);
        }
        self::assertSame($session, \Tortoise\status()['session']);
    }

    private static function raised(callable $call): PythonException
    {
        try {
            $call();
        } catch (PythonException $error) {
            return $error;
        }
        self::fail('nothing was raised');
    }
}
