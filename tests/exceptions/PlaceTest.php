<?php

declare(strict_types=1);

namespace Tortoise\Tests\Exceptions;

use Raising;
use Tortoise\PythonException;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** An exception says what happened and where: the Python source line, Python's traceback, and the causes. */
final class PlaceTest extends TestCase
{
    private const FILE = __DIR__ . '/Raising.py';

    private Raising $raising;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    protected function setUp(): void
    {
        $this->raising = new Raising();
    }

    public function testFileAndLineAreThoseOfThePythonSource(): void
    {
        foreach (['plain' => [], 'by_name' => ['ValueError'], 'key' => [], 'explicit' => []] as $method => $arguments) {
            $error = self::raised(fn() => $this->raising->$method(...$arguments));
            self::assertSame(self::FILE, $error->getFile());
            self::assertSame(self::lineOf($method), $error->getLine(), $method);
        }
        self::assertSame(self::lineOf('plain'), self::raised(fn() => $this->raising->deep())->getLine(), 'the innermost line');
    }

    public function testPhpsTraceShowsWhoCalled(): void
    {
        $line = __LINE__ + 1;
        $error = self::raised(fn() => $this->raising->plain());
        $frame = $error->getTrace()[0];
        self::assertSame(['plain', Raising::class], [$frame['function'], $frame['class'] ?? null]);
        self::assertSame([__FILE__, $line], [$frame['file'] ?? null, $frame['line'] ?? null]);
    }

    public function testTheTracebackIsPythons(): void
    {
        $traceback = self::raised(fn() => $this->raising->deep(2))->getPythonTraceback();
        self::assertStringStartsWith("Traceback (most recent call last):\n  File \"" . self::FILE . '"', $traceback);
        self::assertStringEndsWith("ValueError: plain message\n", $traceback);
        self::assertSame(3, substr_count($traceback, 'in deep'));
        self::assertSame(1, substr_count($traceback, 'in plain'));
        self::assertStringContainsString('raise ValueError("plain message")', $traceback);
        self::assertStringNotContainsString('tortoise_worker', $traceback, 'our own frames are not shown');
    }

    public function testNotesArePartOfTheTraceback(): void
    {
        $error = self::raised(fn() => $this->raising->noted());
        self::assertSame('with notes', $error->getMessage());
        self::assertStringContainsString('look at the logs', $error->getPythonTraceback());
    }

    public function testAGroupShowsItsMembers(): void
    {
        $error = self::raised(fn() => $this->raising->group());
        self::assertStringContainsString('several', $error->getMessage());
        self::assertStringContainsString('ValueError: a', $error->getPythonTraceback());
        self::assertStringContainsString("KeyError: 'b'", $error->getPythonTraceback());
        $members = $error->getPythonException()->exceptions;
        self::assertCount(2, $members);
        self::assertSame(['a'], $members[0]->args);
    }

    public function testACauseIsThePrevious(): void
    {
        $error = self::raised(fn() => $this->raising->explicit());
        self::assertSame('outer', $error->getMessage());
        $cause = $error->getPrevious();
        self::assertInstanceOf(\Tortoise\Python\KeyError::class, $cause);
        self::assertSame("'nothing here'", $cause->getMessage());
        self::assertSame([self::FILE, self::lineOf('key')], [$cause->getFile(), $cause->getLine()]);
        self::assertStringEndsWith("KeyError: 'nothing here'\n", $cause->getPythonTraceback());
        self::assertSame(['nothing here'], $cause->getPythonException()->args);
        self::assertNull($cause->getPrevious());
    }

    public function testAnExceptionThatWasBeingHandledIsThePrevious(): void
    {
        $error = self::raised(fn() => $this->raising->implicit());
        self::assertSame('while handling', $error->getMessage());
        self::assertInstanceOf(\Tortoise\Python\KeyError::class, $error->getPrevious());
    }

    public function testFromNoneLeavesItOut(): void
    {
        $error = self::raised(fn() => $this->raising->suppressed());
        self::assertSame('alone', $error->getMessage());
        self::assertNull($error->getPrevious());
    }

    public function testCirclesOfCausesEnd(): void
    {
        foreach (['circle' => ['one', 'other'], 'context_circle' => ['one', 'other'], 'own_cause' => ['self']] as $method => $expected) {
            self::assertSame($expected, self::chain(self::raised(fn() => $this->raising->$method())), $method);
        }
        self::assertSame(42, $this->raising->answer());
    }

    public function testALongChainIsCut(): void
    {
        $chain = self::chain(self::raised(fn() => $this->raising->long_chain(1000)));
        self::assertSame('link 999', $chain[0]);
        self::assertCount(32, $chain);
    }

    public function testMessagesOfEveryKind(): void
    {
        self::assertSame('', self::raised(fn() => $this->raising->message(''))->getMessage());
        self::assertSame('ä 🐢', self::raised(fn() => $this->raising->message('ä 🐢'))->getMessage());
        self::assertSame("a\0b", self::raised(fn() => $this->raising->message("a\0b"))->getMessage());
        self::assertSame('[1, 2]', self::raised(fn() => $this->raising->message([1, 2]))->getMessage());
        self::assertSame('None', self::raised(fn() => $this->raising->message(null))->getMessage());
        $surrogate = self::raised(fn() => $this->raising->surrogate())->getMessage();
        self::assertStringStartsWith('broken ', $surrogate);
        self::assertSame(1, preg_match('//u', $surrogate), 'it is UTF-8');
        $long = self::raised(fn() => $this->raising->long_message(10_000_000));
        self::assertStringStartsWith('xxx', $long->getMessage());
        self::assertLessThan(2 << 20, \strlen($long->getMessage()));
        self::assertStringContainsString('cut', substr($long->getMessage(), -60));
    }

    public function testTextsThatCannotBeMadeAreReplaced(): void
    {
        foreach (['broken_text' => 'RuntimeError', 'text_that_exits' => 'SystemExit', 'odd_text' => 'TypeError'] as $method => $reason) {
            $error = self::raised(fn() => $this->raising->$method());
            self::assertStringContainsString('str()', $error->getMessage());
            self::assertStringContainsString($reason, $error->getMessage());
            self::assertSame(self::FILE, $error->getFile());
        }
        self::assertSame(42, $this->raising->answer());
    }

    public function testExceptionsThatHideTheirAttributes(): void
    {
        $error = self::raised(fn() => $this->raising->broken_attributes());
        self::assertSame('Raising_BrokenAttributes', $error::class);
        self::assertSame('fine', $error->getMessage());
        self::assertSame(self::FILE, $error->getFile());
        self::assertSame('', self::raised(fn() => $this->raising->no_init())->getMessage());
        self::assertSame(42, $this->raising->answer());
    }

    public function testASyntaxErrorOfAnImportedModuleStandsInThatFile(): void
    {
        $code = <<<'PHP'
            $found = [];
            foreach ([1, 2] as $time) {
                try {
                    (new Raising())->syntax();
                } catch (Tortoise\PythonException $error) {
                    $found[] = [$error::class, basename($error->getFile()), $error->getLine(), $error->getMessage(), $error->getPythonTraceback()];
                }
            }
            return $found;
            PHP;
        $found = self::evaluate($code, classes: ['Raising_broken.py' => "value = 1\n\n\ndef broken(:\n    pass\n"]);
        self::assertCount(2, $found);
        foreach ($found as [$class, $file, $line, $message, $traceback]) {
            self::assertSame(['Tortoise\Python\SyntaxError', 'Raising_broken.py', 4], [$class, $file, $line]);
            self::assertStringContainsString('invalid syntax', $message);
            self::assertStringContainsString('def broken(:', $traceback);
            self::assertStringNotContainsString('importlib', $traceback);
        }
    }

    public function testCodeThatStandsInNoFile(): void
    {
        $error = self::raised(fn() => $this->raising->executed());
        self::assertSame('from a string', $error->getMessage());
        self::assertSame(self::FILE, $error->getFile(), 'the innermost line of a file');
        self::assertStringContainsString('File "<string>", line 3', $error->getPythonTraceback());
        $error = self::raised(fn() => $this->raising->evaluated());
        self::assertSame('Tortoise\Python\SyntaxError', $error::class);
        self::assertNotSame('', $error->getFile());
    }

    public function testStaticAndClassMethods(): void
    {
        self::assertSame('static', self::raised(fn() => Raising::static())->getMessage());
        self::assertSame('class', self::raised(fn() => Raising::of_class())->getMessage());
        self::assertSame(self::FILE, self::raised(fn() => Raising::of_class())->getFile());
    }

    public function testATypeErrorOfTheCallItselfHasAPlace(): void
    {
        $error = self::raised(fn() => $this->raising->plain(1));
        self::assertInstanceOf(\Tortoise\Python\TypeError::class, $error);
        self::assertSame(__FILE__, $error->getFile(), 'no Python line ran, so it is the line of the call');
        self::assertSame(__LINE__ - 3, $error->getLine());
    }

    public function testUncaughtItIsPrintedWithAllThatIsKnown(): void
    {
        $result = self::php('(new Raising())->explicit();');
        self::assertSame(255, $result->exitCode);
        $file = preg_quote(self::FILE, '~');
        self::assertMatchesRegularExpression("~Uncaught Tortoise.Python.KeyError: 'nothing here' in {$file}:\\d+~", $result->errors);
        self::assertMatchesRegularExpression("~Next Tortoise.Python.LookupError: outer in {$file}:\\d+~", $result->errors);
        self::assertMatchesRegularExpression('~script\d+\.php\(2\): Raising->explicit\(\)~', $result->errors);
    }

    /** @return list<string> */
    private static function chain(?\Throwable $error): array
    {
        $messages = [];
        for (; $error !== null; $error = $error->getPrevious()) {
            $messages[] = $error->getMessage();
        }

        return $messages;
    }

    /** The line that is marked with the method's name. */
    private static function lineOf(string $method): int
    {
        foreach ((array) file(self::FILE) as $index => $line) {
            if (str_ends_with((string) $line, "# LINE {$method}\n")) {
                return $index + 1;
            }
        }
        self::fail("no line is marked with {$method}");
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
