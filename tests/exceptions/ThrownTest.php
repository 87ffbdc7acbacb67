<?php

declare(strict_types=1);

namespace Tortoise\Tests\Exceptions;

use Accounts;
use Tortoise\PyObject;
use Tortoise\Python;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** PHP constructs and throws exceptions of Python's classes: the Python exception is made, and PHP says where. */
final class ThrownTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
        require_once __DIR__ . '/HeldInPhp.php';
    }

    public function testAnExceptionOfAClassFile(): void
    {
        try {
            $line = __LINE__ + 1;
            throw new \Held_Error('m', 1, hint: 'look');
        } catch (Python\Exception $error) {
        }
        self::assertSame(\Held_Error::class, $error::class);
        self::assertSame(['m: 1', 0, __FILE__, $line], [$error->getMessage(), $error->getCode(), $error->getFile(), $error->getLine()]);
        self::assertSame([1, 'look', 2], [$error->account, $error->hint, $error->twice()]);
        self::assertSame('Held.Error.Held_Error', $error->getPythonClass());
        self::assertSame("Held.Error.Held_Error: m: 1\n", $error->getPythonTraceback());
        self::assertInstanceOf(PyObject::class, $error->getPythonException());
        self::assertSame(__FUNCTION__, $error->getTrace()[0]['function']);
        self::assertNull($error->getPrevious());
    }

    public function testABuiltinOne(): void
    {
        try {
            throw new Python\ValueError('m');
        } catch (Python\Exception $error) {
        }
        self::assertSame([Python\ValueError::class, 'm', ['m'], __LINE__ - 3], [$error::class, $error->getMessage(), $error->args, $error->getLine()]);
        self::assertSame("'k'", (new Python\KeyError('k'))->getMessage(), 'as Python shows it');
        self::assertSame('', (new Python\StopIteration())->getMessage());
        $error = new Python\OSError(2, 'gone', 'a.txt');
        self::assertSame([2, 'a.txt', "[Errno 2] gone: 'a.txt'"], [$error->errno, $error->filename, $error->getMessage()]);
        self::assertSame('FileNotFoundError', $error->getPythonClass(), 'Python picks the class by the number');
    }

    public function testBuiltinOnesAreThereBeforeAnyWasRaised(): void
    {
        $code = <<<'PHP'
            $known = class_exists('Tortoise\Python\KeyError', false);
            $made = Tortoise\type('Tortoise\Python\EOFError')('by its type');
            $error = new \tortoise\python\keyerror('k');
            return [$known, $made->args, $error::class, class_exists('Tortoise\Python\Nope'), class_exists('Tortoise\Python\int'), class_exists('Tortoise\Python\open'), is_subclass_of('Tortoise\Python\IOError', 'Tortoise\Python\Exception')];
            PHP;
        self::assertSame([false, ['by its type'], 'Tortoise\Python\KeyError', false, false, false, true], self::evaluate($code));
    }

    public function testPythonKnowsItAsItself(): void
    {
        $held = new Accounts();
        $error = new \Held_Error('m', 1);
        self::assertSame(['Held_Error', 'm: 1', ['m: 1'], 1], $held->describe($error));
        self::assertSame('caught m: 1', $held->catch($error));
        try {
            $held->throw($error);
        } catch (\Held_Error $same) {
        }
        self::assertSame($error, $same ?? null, 'what Python raises is the object that PHP threw in');
        self::assertSame(__FILE__, $error->getFile());
        self::assertStringContainsString('in throw', $error->getPythonTraceback());
    }

    public function testAContextManagerSeesItself(): void
    {
        $code = <<<'PHP'
            $error = new Held_Error('m', 1);
            try {
                Tortoise\with(new Manager(), fn() => throw $error);
            } catch (Held_Error $same) {
            }
            return [$error === $same, Manager::seen()];
            PHP;
        $manager = <<<'PY'
            class Manager:
                found = []

                def __enter__(self):
                    return self

                def __exit__(self, kind, error, traceback):
                    self.found.append(f"{kind.__name__} {error} {error.account}")

                @classmethod
                def seen(cls):
                    return cls.found
            PY;
        self::assertSame([true, ['Held_Error m: 1 1']], self::evaluate($code, classes: ['Manager.py' => $manager]));
    }

    public function testAPhpSubclass(): void
    {
        $error = new HeldInPhp(9);
        self::assertSame(['of PHP: 9', __LINE__ - 1, 18, 9], [$error->getMessage(), $error->getLine(), $error->twice(), $error->own]);
        foreach (['throw', 'throw'] as $method) {
            try {
                (new Accounts())->$method($error);
                self::fail('nothing was raised');
            } catch (HeldInPhp $same) {
                self::assertSame($error, $same);
            }
        }
    }

    public function testASubclassThatNeverCallsItsParentHasNothingInPython(): void
    {
        $error = new class () extends \Held_Error {
            public function __construct()
            {
                $this->message = 'of PHP alone';
            }
        };
        self::assertSame('of PHP alone', $error->getMessage());
        $this->expectException(\Tortoise\StaleObjectException::class);
        $this->expectExceptionMessage('no Python exception behind it');
        $error->getPythonException();
    }

    public function testAMessageThatPhpChangedStays(): void
    {
        $error = new class ('m', 1) extends \Held_Error {
            public function __construct(string $reason, int $account)
            {
                parent::__construct($reason, $account);
                $this->message = "changed {$this->message}";
                $this->code = 5;
            }
        };
        try {
            (new Accounts())->throw($error);
        } catch (\Held_Error $same) {
        }
        self::assertSame([$error, 'changed m: 1', 5], [$same ?? null, $error->getMessage(), $error->getCode()]);
    }

    public function testFromBecomesThePrevious(): void
    {
        $error = new \Held_Error('m', 1);
        $cause = new Python\KeyError('k');
        try {
            (new Accounts())->throw_from($error, $cause);
        } catch (\Held_Error $same) {
        }
        self::assertSame([$error, $cause], [$same ?? null, $error->getPrevious()]);
        try {
            (new Accounts())->throw_from($cause, $error);
        } catch (Python\KeyError $same) {
        }
        self::assertSame($cause, $same);
        self::assertNull($cause->getPrevious(), 'PHP knows no circles');
    }

    public function testAConstructorThatFails(): void
    {
        foreach ([
            [\ArgumentCountError::class, static fn() => new \Held_Error()],
            [Python\TypeError::class, static fn() => new \Held_Error('m', 1, wrong: 2)],
            [Python\TypeError::class, static fn() => new Python\UnicodeDecodeError('short')],
            [\Tortoise\ConversionException::class, static fn() => new Python\ValueError(fopen('php://memory', 'r'))],
            [\Tortoise\AccessException::class, static fn() => new \Held_NotConstructible('odd')],
        ] as [$class, $make]) {
            try {
                $make();
                self::fail("no {$class}");
            } catch (\Throwable $error) {
                self::assertInstanceOf($class, $error);
                self::assertSame(__FILE__, $error->getFile(), $error->getMessage());
            }
        }
    }

    public function testItIsConstructedOnce(): void
    {
        $error = new \Held_Error('m', 1);
        $this->expectException(\Tortoise\AccessException::class);
        $error->__construct('again', 2);
    }

    public function testExceptionsLeaveNothingBehind(): void
    {
        $code = <<<'PHP'
            $held = new Accounts();
            $turn = static function () use ($held): void {
                try {
                    $held->throw(new Held_Error('m', 1));
                } catch (Held_Error $error) {
                    $error->account;
                }
                try {
                    $held->group();
                } catch (Tortoise\Python\ExceptionGroup $group) {
                    $group->getExceptions();
                }
            };
            for ($time = 0; $time < 200; ++$time) {
                $turn();
            }
            gc_collect_cycles();
            $before = [memory_get_usage(), Tortoise\status()['objects']];
            for ($time = 0; $time < 500; ++$time) {
                $turn();
            }
            gc_collect_cycles();
            return [memory_get_usage() - $before[0], Tortoise\status()['objects'] - $before[1]];
            PHP;
        [$bytes, $objects] = self::evaluate($code);
        self::assertSame(0, $objects);
        self::assertLessThan(4096, $bytes);
    }
}
