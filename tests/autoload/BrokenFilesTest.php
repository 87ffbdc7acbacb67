<?php

declare(strict_types=1);

namespace Tortoise\Tests\Autoload;

use Tortoise\Tests\Support\TestCase;

/** A class file that gives no class says why, and gives it as soon as it is mended. */
final class BrokenFilesTest extends TestCase
{
    private const ASK = <<<'PHP'
        function ask(string $class): array
        {
            try {
                new $class();
                return ['made'];
            } catch (Throwable $error) {
                return [
                    'class' => $error::class, 'message' => $error->getMessage(), 'file' => $error->getFile(),
                    'line' => $error->getLine(), 'isOurs' => $error instanceof Tortoise\Exception,
                    'traceback' => $error instanceof Tortoise\PythonException ? $error->getPythonTraceback() : null,
                    'previous' => $error->getPrevious() ? $error->getPrevious()::class : null,
                ];
            }
        }

        PHP;

    public function testEachReasonHasItsOwnError(): void
    {
        $facts = self::evaluate(self::ASK . <<<'PHP'
            $facts = array_map('ask', [
                'Broken_Empty', 'Broken_Syntax', 'Broken_Raise', 'Broken_Import', 'Broken_Exit', 'Broken_Bytes',
                'Broken_Chain', 'Broken_Nothing', 'Foo_Bar',
            ]);
            return [$facts, Tortoise\status()['classes']];
            PHP, classes: self::BROKEN + ['Broken/Bytes.py' => "class Broken_Bytes:\n    '\xff'\n"]);
        $classes = self::sandbox()->classes;
        [$empty, $syntax, $raise, $import, $exit, $bytes, $chain, $nothing, $good] = $facts[0];

        self::assertSame('Tortoise\Python\ImportError', $empty['class']);
        self::assertSame(
            "{$classes}/Broken/Empty.py defines no class Broken_Empty or Empty; it defines First, Second",
            $empty['message'],
        );
        self::assertSame(["{$classes}/Broken/Empty.py", 1], [$empty['file'], $empty['line']]);

        self::assertSame('Tortoise\Python\SyntaxError', $syntax['class']);
        self::assertStringContainsString("expected ':'", $syntax['message']);
        self::assertSame(["{$classes}/Broken/Syntax.py", 2], [$syntax['file'], $syntax['line']]);

        self::assertSame('Tortoise\Python\ValueError', $raise['class']);
        self::assertSame('no settings', $raise['message']);
        self::assertSame(["{$classes}/Broken/Raise.py", 2], [$raise['file'], $raise['line']]);
        self::assertSame(<<<TEXT
            Traceback (most recent call last):
              File "{$classes}/Broken/Raise.py", line 4, in <module>
                configured()
              File "{$classes}/Broken/Raise.py", line 2, in configured
                raise ValueError("no settings")
            ValueError: no settings

            TEXT, $raise['traceback']);

        self::assertSame('Tortoise\Python\ModuleNotFoundError', $import['class']);
        self::assertSame("No module named 'surely_not_installed'", $import['message']);
        self::assertSame(["{$classes}/Broken/Import.py", 1], [$import['file'], $import['line']]);

        self::assertSame('Tortoise\Python\SystemExit', $exit['class']);
        self::assertSame(["{$classes}/Broken/Exit.py", 3], [$exit['file'], $exit['line']]);

        self::assertSame('Tortoise\Python\SyntaxError', $bytes['class']);
        self::assertStringContainsString('utf-8', $bytes['message']);

        self::assertSame('Tortoise\Python\RuntimeError', $chain['class']);
        self::assertSame('Tortoise\Python\KeyError', $chain['previous']);

        self::assertSame(['Error', 'Class "Broken_Nothing" not found'], [$nothing['class'], $nothing['message']]);
        self::assertFalse($nothing['isOurs']);
        foreach ([$empty, $syntax, $raise, $import, $exit, $bytes, $chain] as $error) {
            self::assertTrue($error['isOurs']);
        }

        self::assertSame(['made'], $good, 'the session is well after all that');
    }

    public function testADeadServerIsAnotherError(): void
    {
        [$facts, $sameAgain, $connected] = self::evaluate(self::ASK . <<<'PHP'
            return [ask('Foo_Bar'), ask('Foo_Bar'), Tortoise\status()['connected']];
            PHP, ini: ['tortoise.server' => 'unix:///nowhere/tortoise.sock']);

        self::assertSame('Tortoise\ConnectionException', $facts['class']);
        self::assertStringContainsString('/nowhere/tortoise.sock', $facts['message']);
        self::assertSame($facts['message'], $sameAgain['message']);
        self::assertFalse($connected);
    }

    public function testQuestionsRaiseTheSameErrors(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $questions = [
                fn ($class) => class_exists($class), fn ($class) => is_a($class, 'stdClass', true),
                fn ($class) => is_callable([$class, 'make']), fn ($class) => $class::make(), fn ($class) => $class::LIMIT,
                fn ($class) => new ReflectionClass($class), fn ($class) => Tortoise\type($class),
                fn ($class) => eval("class Child extends {$class} {}"),
            ];
            return array_map(function ($question) {
                try {
                    return $question('Broken_Raise');
                } catch (Tortoise\Python\ValueError $error) {
                    return $error->getMessage();
                }
            }, $questions);
            PHP, classes: self::BROKEN);

        self::assertSame(array_fill(0, 8, 'no settings'), $facts);
    }

    public function testAFileThatEndsItsProcessIsALostConnection(): void
    {
        $facts = self::evaluate(self::ASK . "return [ask('Broken_Gone'), ask('Foo_Bar')];", classes: [
            'Broken/Gone.py' => "import os\nos._exit(3)\n",
        ]);

        self::assertSame('Tortoise\ConnectionException', $facts[0]['class']);
        self::assertStringContainsString('is lost', $facts[0]['message']);
        self::assertSame(['made'], $facts[1]);
    }

    /** @dataProvider broken */
    public function testAFileWorksOnceItIsMended(string $class, string $file): void
    {
        $code = self::ASK . "return ask('{$class}')['class'] ?? 'made';";
        self::assertNotSame('made', self::evaluate($code, classes: self::BROKEN));

        // Another process of PHP, the same sidecar.
        self::assertSame('made', self::evaluate($code, classes: [$file => "class {$class}:\n    MENDED = True\n"]));
    }

    /** @dataProvider broken */
    public function testAFileWorksOnceItIsMendedInTheSameProcess(string $class, string $file): void
    {
        $facts = self::evaluate(self::ASK . <<<PHP
            \$before = ask('{$class}');
            file_put_contents(getenv('XDG_RUNTIME_DIR') . '/../classes/{$file}', "class {$class}:\\n    MENDED = True\\n");
            return [\$before['class'], ask('{$class}')];
            PHP, classes: self::BROKEN);

        self::assertStringStartsWith('Tortoise\Python\\', $facts[0]);
        self::assertSame(['made'], $facts[1]);
    }

    /** @return iterable<string, array{string, string}> */
    public static function broken(): iterable
    {
        foreach (array_keys(self::BROKEN) as $file) {
            if (str_starts_with($file, 'Broken/')) {
                yield $file => [strtr(substr($file, 0, -3), '/', '_'), $file];
            }
        }
    }

    private const BROKEN = [
        'Broken/Empty.py' => "import json\nfrom decimal import Decimal\nclass First: pass\nclass Second: pass\nclass _Hidden: pass\n",
        'Broken/Syntax.py' => "class Broken_Syntax:\n    def twice(self)\n        return 2\n",
        'Broken/Raise.py' => "def configured():\n    raise ValueError(\"no settings\")\n\nconfigured()\nclass Broken_Raise: pass\n",
        'Broken/Import.py' => "import surely_not_installed\nclass Broken_Import: pass\n",
        'Broken/Exit.py' => "import sys\n\nsys.exit('enough')\n",
        'Broken/Chain.py' => "try:\n    {}['x']\nexcept KeyError as error:\n    raise RuntimeError('no x') from error\n",
    ];
}
