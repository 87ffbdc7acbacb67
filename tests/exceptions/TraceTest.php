<?php

declare(strict_types=1);

namespace Tortoise\Tests\Exceptions;

use Accounts;
use Tortoise\PythonException;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** The trace of an exception leads from the Python line through Python's functions to the PHP code that called. */
final class TraceTest extends TestCase
{
    private const FILE = __DIR__ . '/Accounts.py';

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    public function testPythonsFramesComeFirst(): void
    {
        $line = __LINE__ + 1;
        $error = self::raised(static fn() => (new Accounts())->deep());
        self::assertSame([self::FILE, self::lineOf('outer')], [$error->getFile(), $error->getLine()]);
        $trace = self::withoutArguments($error);
        $comprehension = \count($trace) > 5 && $trace[2]['function'] === '<listcomp>' ? array_splice($trace, 2, 1) : [];
        self::assertSame([
            ['file' => self::FILE, 'line' => self::lineOf('inner'), 'function' => 'outer'],
            ['file' => self::FILE, 'line' => self::lineOf('deep'), 'function' => 'inner', 'class' => 'Accounts', 'type' => '->'],
            ['file' => __FILE__, 'line' => $line, 'function' => 'deep', 'class' => Accounts::class, 'type' => '->'],
        ], \array_slice($trace, 0, 3));
        // Until Python 3.12 a comprehension is a function of its own.
        self::assertLessThan(2, \count($comprehension));
        self::assertSame(__FUNCTION__, $trace[5]['function']);
    }

    public function testEveryFrameIsOneThatPagesCanShow(): void
    {
        foreach ([static fn() => (new Accounts())->deep(), static fn() => (new Accounts())->failing, static fn() => \count(new Accounts()), static fn() => (new Accounts())->endless()] as $call) {
            $trace = self::raised($call)->getTrace();
            self::assertArrayHasKey('file', $trace[0]);
            foreach ($trace as $frame) {
                self::assertIsString($frame['function']);
                self::assertSame(isset($frame['file']), isset($frame['line']));
                self::assertSame(isset($frame['class']), isset($frame['type']));
            }
        }
    }

    public function testAsText(): void
    {
        $lines = explode("\n", self::raised(static fn() => (new Accounts())->cause())->getTraceAsString());
        self::assertSame('#0 ' . self::FILE . '(' . self::lineOf('cause') . '): Accounts->middle()', $lines[0]);
        self::assertSame('#1 ' . __FILE__ . '(' . (__LINE__ - 2) . '): Accounts->cause()', $lines[1]);
        self::assertStringEndsWith('{main}', end($lines));
    }

    public function testACauseHasTheFramesAroundIt(): void
    {
        $cause = self::raised(static fn() => (new Accounts())->cause())->getPrevious();
        self::assertInstanceOf(\Tortoise\Python\ZeroDivisionError::class, $cause);
        $places = array_map(static fn(array $frame) => [$frame['function'], $frame['line']], \array_slice($cause->getTrace(), 0, 3));
        self::assertSame([['outer', self::lineOf('middle')], ['middle', self::lineOf('cause')], ['cause', __LINE__ - 3]], $places);
    }

    public function testWhatPhpCallsWithoutAFunction(): void
    {
        $trace = self::withoutArguments(self::raised(static fn() => (new Accounts())->failing));
        self::assertSame(['outer', self::lineOf('failing')], [$trace[0]['function'], $trace[0]['line']]);
        self::assertSame(['file' => __FILE__, 'line' => __LINE__ - 2, 'function' => 'failing', 'class' => 'Accounts', 'type' => '->'], $trace[1]);
        self::assertSame('Tortoise\Tests\Exceptions\{closure}', $trace[2]['function']);
    }

    public function testAPhpFunctionOfTheSameNameIsAnother(): void
    {
        $failing = new class () {
            public function failing(): mixed
            {
                return (new Accounts())->failing;
            }
        };
        $trace = self::raised(static fn() => $failing->failing())->getTrace();
        self::assertSame(['outer', 'failing', 'failing'], array_column(\array_slice($trace, 0, 3), 'function'));
        self::assertSame(['Accounts', $failing::class], array_column(\array_slice($trace, 1, 2), 'class'));
    }

    public function testACallThatIsAwaited(): void
    {
        $future = \Tortoise\async(new Accounts())->deep();
        $functions = array_column(self::raised(static fn() => $future->await())->getTrace(), 'function');
        self::assertSame(['outer', 'inner'], \array_slice($functions, 0, 2));
        self::assertContains('deep', \array_slice($functions, 2, 2));
        self::assertContains('await', \array_slice($functions, 3, 2));
    }

    public function testAnEndlessRecursionIsCut(): void
    {
        $error = self::raised(static fn() => (new Accounts())->endless());
        $functions = array_count_values(array_column($error->getTrace(), 'function'));
        self::assertSame(128, $functions['endless']);
    }

    public function testAPageCanShowTheSource(): void
    {
        $error = self::raised(static fn() => (new Accounts())->deep());
        $source = (array) file($error->getFile());
        self::assertStringContainsString('return 1 / item', (string) $source[$error->getLine() - 1]);
        $call = $error->getTrace()[0];
        self::assertStringContainsString('outer(item)', (string) ((array) file($call['file']))[$call['line'] - 1]);
    }

    public function testUncaughtItIsPrinted(): void
    {
        $result = self::php('(new Accounts())->cause();');
        $file = preg_quote(self::FILE, '~');
        self::assertMatchesRegularExpression("~#0 {$file}\\(\\d+\\): outer\\(\\)\n#1 {$file}\\(\\d+\\): Accounts->middle\\(\\)\n#2 .*script\\d+\\.php\\(2\\): Accounts->cause\\(\\)\n#3 \\{main\\}\n\nNext Held_Error: divided: 1~", $result->errors);
    }

    /** The line that is marked with this word. */
    public static function lineOf(string $mark): int
    {
        foreach ((array) file(self::FILE) as $index => $line) {
            if (str_ends_with((string) $line, "# LINE {$mark}\n")) {
                return $index + 1;
            }
        }
        self::fail("no line is marked with {$mark}");
    }

    /** @return list<array<string, mixed>> */
    private static function withoutArguments(PythonException $error): array
    {
        return array_map(static function (array $frame): array {
            unset($frame['args']);

            return $frame;
        }, $error->getTrace());
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
