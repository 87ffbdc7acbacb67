<?php

declare(strict_types=1);

namespace Tortoise\Tests\Callbacks;

use Caller;
use Tortoise\Python\KeyError;
use Tortoise\Python\ValueError;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

require_once __DIR__ . '/Specimens.php';

/** Exceptions through callbacks, in both directions. */
final class ExceptionsTest extends TestCase
{
    private Caller $caller;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    protected function setUp(): void
    {
        $this->caller = new Caller();
    }

    public function testAnExceptionOfPhpPassesThroughPythonAsTheSameObject(): void
    {
        $thrown = new \DomainException('no', 42);
        $trace = $thrown->getTrace();
        $line = $thrown->getLine();
        try {
            $this->caller->call(static fn () => throw $thrown);
            self::fail('nothing was thrown');
        } catch (\DomainException $caught) {
            self::assertSame($thrown, $caught);
            self::assertSame($trace, $caught->getTrace());
            self::assertSame($line, $caught->getLine());
            self::assertNull($caught->getPrevious());
        }
    }

    public function testThroughManyLevels(): void
    {
        $thrown = new \DomainException('deep');
        $nest = function (Caller $caller, int $depth) use (&$nest, $thrown): mixed {
            return $depth === 0 ? throw $thrown : $caller->nest($depth, $nest);
        };
        try {
            $this->caller->nest(20, $nest);
            self::fail('nothing was thrown');
        } catch (\DomainException $caught) {
            self::assertSame($thrown, $caught);
        }
    }

    public function testPythonCatchesIt(): void
    {
        [$class, $message, $code, $hasLine] = $this->caller->catch(static fn () => throw new \DomainException('no', 42));
        self::assertSame(['DomainException', 'no', 42, true], [$class, $message, $code, $hasLine]);
        $thrown = new \Error('kept');
        self::assertSame($thrown, $this->caller->catch_object(static fn () => throw $thrown));
    }

    public function testErrorsOfPhpItself(): void
    {
        self::assertSame('TypeError', $this->caller->catch(static fn (int $number): int => $number, 'text')[0]);
        self::assertSame('ArgumentCountError', $this->caller->catch(static fn (int $number): int => $number)[0]);
        self::assertSame('DivisionByZeroError', $this->caller->catch(static fn (): int => intdiv(1, 0))[0]);
    }

    public function testItIsTheCauseOfPythons(): void
    {
        $thrown = new \DomainException('cause');
        try {
            $this->caller->wrap(static fn () => throw $thrown);
            self::fail('nothing was thrown');
        } catch (ValueError $error) {
            self::assertSame('wrapped', $error->getMessage());
            self::assertSame($thrown, $error->getPrevious());
        }
    }

    public function testAnExceptionOfPythonPassesThroughPhpAsItself(): void
    {
        $inner = null;
        try {
            $this->caller->call(function () use (&$inner): void {
                try {
                    $this->caller->refuse('key');
                } catch (KeyError $error) {
                    $inner = $error;

                    throw $error;
                }
            });
            self::fail('nothing was thrown');
        } catch (KeyError $error) {
            self::assertSame($inner->getPythonException(), $error->getPythonException());
        }
        self::assertSame('KeyError', $this->caller->why(fn () => $this->caller->refuse('key'))[0]);
    }

    public function testTheConversationGoesOnBehindExceptions(): void
    {
        for ($round = 0; $round < 200; $round++) {
            self::assertSame($round, $this->caller->swallow(static fn () => throw new \Exception('x'), $round));
        }
    }

    public function testExitInACallbackEndsTheRequestCleanly(): void
    {
        $file = tempnam(sys_get_temp_dir(), 'tortoise');
        $code = <<<'PHP'
            $caller = new Caller();
            register_shutdown_function(static function () use ($caller): void {
                echo "shutdown\n", $caller->echo("python is there\n");
            });
            try {
                $caller->cleanup(static function (): void { echo "leaving\n"; exit(3); }, $argv[1] ?? getenv('CLEANUP'));
                echo "not reached\n";
            } catch (Throwable $error) {
                echo 'caught ', $error::class, "\n";
            } finally {
                echo "no finally of PHP runs\n";
            }
            PHP;
        $result = self::php($code, environment: ['CLEANUP' => $file]);
        self::assertSame("leaving\nshutdown\npython is there\n", $result->output);
        self::assertSame('', $result->errors);
        self::assertSame(3, $result->exitCode);
        self::assertSame("cleaned up\n", file_get_contents($file));
        unlink($file);
    }

    public function testExitIsNotCaughtByExceptExceptionAndGoesThroughLevels(): void
    {
        $result = self::php(<<<'PHP'
            $caller = new Caller();
            $nest = function (Caller $caller, int $depth) use (&$nest): mixed {
                if ($depth === 0) {
                    exit('bye');
                }
                return $caller->nest($depth, $nest);
            };
            $caller->swallow(fn () => $caller->nest(5, $nest), 'swallowed');
            echo 'not reached';
            PHP);
        self::assertSame('bye', $result->output);
        self::assertSame(0, $result->exitCode);
    }

    public function testAFatalErrorInACallbackEndsTheRequestAndTheNextOneHasANewSession(): void
    {
        $result = self::php(<<<'PHP'
            ini_set('memory_limit', '16M');
            $caller = new Caller();
            register_shutdown_function(static function () use ($caller): void {
                echo 'shutdown';
            });
            $caller->call(static fn () => str_repeat('x', 100_000_000));
            echo 'not reached';
            PHP, ini: ['display_errors' => '1', 'log_errors' => '0']);
        self::assertStringContainsString('Allowed memory size', $result->output);
        self::assertStringEndsWith('shutdown', $result->output);
        self::assertSame(255, $result->exitCode);
    }

    public function testAnExceptionNobodyCatches(): void
    {
        $result = self::php(<<<'PHP'
            (new Caller())->call(static function (): void {
                throw new DomainException('uncaught one');
            });
            PHP, ini: ['display_errors' => '1', 'log_errors' => '0', 'html_errors' => '0']);
        self::assertStringContainsString('Uncaught DomainException: uncaught one', $result->output);
        self::assertStringContainsString('{closure}', $result->output);
        self::assertSame(255, $result->exitCode);
    }
}
