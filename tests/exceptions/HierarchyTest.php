<?php

declare(strict_types=1);

namespace Tortoise\Tests\Exceptions;

use Raising;
use Tortoise\Python;
use Tortoise\PythonException;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** Python's exceptions are PHP exceptions in Python's own hierarchy. */
final class HierarchyTest extends TestCase
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

    /** @return iterable<string, array{string, list<mixed>, list<class-string>}> */
    public static function builtins(): iterable
    {
        yield 'key' => ['key', [], ['KeyError', 'LookupError', 'Exception', 'BaseException']];
        yield 'index' => ['index', [], ['IndexError', 'LookupError', 'Exception', 'BaseException']];
        yield 'division' => ['division', [], ['ZeroDivisionError', 'ArithmeticError', 'Exception', 'BaseException']];
        yield 'file' => ['file', [], ['FileNotFoundError', 'OSError', 'Exception', 'BaseException']];
        yield 'decoding' => ['decode', [], ['UnicodeDecodeError', 'UnicodeError', 'ValueError', 'Exception']];
        yield 'assertion' => ['assertion', [], ['AssertionError', 'Exception', 'BaseException']];
        yield 'recursion' => ['recursion', [], ['RecursionError', 'RuntimeError', 'Exception']];
        yield 'missing module' => ['missing_module', [], ['ModuleNotFoundError', 'ImportError', 'Exception']];
        yield 'missing name' => ['missing_name', [], ['NameError', 'Exception']];
        yield 'exit' => ['exit', [], ['SystemExit', 'BaseException']];
        yield 'interrupt' => ['interrupt', [], ['KeyboardInterrupt', 'BaseException']];
        yield 'stop' => ['stop', [], ['StopIteration', 'Exception']];
        yield 'stop in a generator' => ['stop_in_generator', [], ['RuntimeError', 'Exception']];
        yield 'generator exit' => ['generator_exit', [], ['GeneratorExit', 'BaseException']];
        yield 'memory' => ['memory', [], ['MemoryError', 'Exception']];
        yield 'a huge allocation' => ['huge_allocation', [], ['MemoryError', 'Exception']];
        yield 'not an exception' => ['not_an_exception', [], ['TypeError', 'Exception']];
        yield 'a group' => ['group', [], ['ExceptionGroup', 'Exception', 'BaseException']];
        yield 'a group of base exceptions' => ['base_group', [], ['BaseExceptionGroup', 'BaseException']];
        yield 'a warning' => ['by_name', ['DeprecationWarning', 'old'], ['DeprecationWarning', 'Warning', 'Exception']];
        yield 'a timeout' => ['by_name', ['TimeoutError'], ['TimeoutError', 'OSError', 'Exception']];
        yield 'an end of file' => ['by_name', ['EOFError'], ['EOFError', 'Exception']];
        yield 'not implemented' => ['by_name', ['NotImplementedError'], ['NotImplementedError', 'RuntimeError']];
    }

    /**
     * @dataProvider builtins
     * @param list<mixed> $arguments
     * @param list<string> $classes
     */
    public function testBuiltinExceptionsStandInPythonsHierarchy(string $method, array $arguments, array $classes): void
    {
        $error = $this->raised(fn() => $this->raising->$method(...$arguments));
        self::assertSame("Tortoise\\Python\\{$classes[0]}", $error::class);
        foreach ($classes as $class) {
            self::assertInstanceOf("Tortoise\\Python\\{$class}", $error);
        }
        if (!\in_array('Exception', $classes, true) && $method !== 'by_name') {
            self::assertNotInstanceOf(Python\Exception::class, $error);
        }
        self::assertInstanceOf(PythonException::class, $error);
        self::assertInstanceOf(\RuntimeException::class, $error);
        self::assertInstanceOf(\Tortoise\Exception::class, $error);
        self::assertSame($classes[0], $error->getPythonClass());
        self::assertSame(42, $this->raising->answer(), 'the session lives');
    }

    public function testTheyAreCaughtByTheirClassAndByItsParents(): void
    {
        $caught = [];
        try {
            $this->raising->key();
        } catch (Python\IndexError) {
            $caught[] = 'wrong';
        } catch (Python\KeyError) {
            $caught[] = 'KeyError';
        }
        try {
            $this->raising->index();
        } catch (Python\KeyError) {
            $caught[] = 'wrong';
        } catch (Python\LookupError) {
            $caught[] = 'LookupError';
        }
        try {
            $this->raising->exit();
        } catch (Python\Exception) {
            $caught[] = 'wrong';
        } catch (Python\BaseException) {
            $caught[] = 'BaseException';
        }
        self::assertSame(['KeyError', 'LookupError', 'BaseException'], $caught);
    }

    public function testExceptionsOfAClassFileAreCaughtByTheirOwnName(): void
    {
        try {
            $this->raising->two_arguments();
            self::fail('nothing was raised');
        } catch (\Raising_TwoArguments $error) {
        }
        self::assertSame('Raising_TwoArguments', $error::class);
        self::assertInstanceOf(\Raising_Error::class, $error);
        self::assertInstanceOf(Python\Exception::class, $error);
        self::assertNotInstanceOf(Python\ValueError::class, $error);
        self::assertSame('Raising.Raising_TwoArguments', $error->getPythonClass());
        self::assertSame('first (2)', $error->getMessage());
        self::assertSame(7, \Raising_Error::LEVEL);
    }

    public function testAClassBelowBaseExceptionAlone(): void
    {
        $error = $this->raised(fn() => $this->raising->base());
        self::assertSame('Raising_Base', $error::class);
        self::assertInstanceOf(Python\BaseException::class, $error);
        self::assertNotInstanceOf(Python\Exception::class, $error);
        self::assertSame('below BaseException', $error->getMessage());
    }

    public function testAClassOfTwoKindsIsOfTheFirstInPhp(): void
    {
        $error = $this->raised(fn() => $this->raising->of_two_kinds());
        self::assertSame('Raising_TwoKinds', $error::class);
        self::assertInstanceOf(\Raising_Error::class, $error);
        self::assertSame("'both'", $error->getMessage(), 'as KeyError shows it');
    }

    public function testAClassMadeInAFunction(): void
    {
        $error = $this->raised(fn() => $this->raising->local_class());
        self::assertInstanceOf(Python\ValueError::class, $error);
        self::assertSame('from a function', $error->getMessage());
        self::assertStringEndsWith('Local', $error->getPythonClass());
        $other = $this->raised(fn() => $this->raising->local_class());
        self::assertNotSame($error::class, $other::class, 'each run of the function makes a class of its own');
    }

    public function testAMethodOfTheExceptionIsCalledInPython(): void
    {
        $error = $this->raised(fn() => $this->raising->two_arguments());
        self::assertSame(7, $error->level());
        self::assertSame(4, $error->doubled());
        self::assertSame(6, $error->doubled(factor: 3));
    }

    public function testNamesThatPhpsExceptionsReserve(): void
    {
        $error = $this->raised(fn() => $this->raising->with_php_names());
        self::assertSame('message of Python', $error->getMessage());
        self::assertSame(0, $error->getCode());
        self::assertSame(__DIR__ . '/Raising.py', $error->getFile());
        $python = $error->getPythonException();
        self::assertSame(['E42', 'a.txt', -1, 'p'], [$python->code, $python->file, $python->line, $python->previous]);
        self::assertSame('method of Python', $python->getMessage());
        self::assertSame('code of Python', $python->getCode());
    }

    private function raised(callable $call): PythonException
    {
        try {
            $call();
        } catch (PythonException $error) {
            return $error;
        }
        self::fail('nothing was raised');
    }
}
