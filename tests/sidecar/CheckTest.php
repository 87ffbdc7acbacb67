<?php

declare(strict_types=1);

namespace Tortoise\Tests\Sidecar;

use Tortoise\Tests\Support\ProcessResult;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** `tortoise check`: each class file is imported by a real interpreter. */
final class CheckTest extends TestCase
{
    public function testGoodClassesAreCounted(): void
    {
        self::sandbox()->writeClass('Foo/Good.py', "class Foo_Good:\n    pass\n\nclass Foo_Other:\n    pass\n");
        self::sandbox()->writeClass('foo/low.py', "import json\n\nLow = type('Low', (), {})\n");
        self::sandbox()->writeClass('script.py', "raise SystemExit('a script is not run')\n");
        self::sandbox()->writeClass('no-class/Bad.py', "class Bad\n");
        $result = $this->check('--preload', 'json,decimal');
        self::assertSame(0, $result->exitCode, (string) $result);
        self::assertSame(
            'good: the settings, 2 preloaded modules, 3 classes in 2 files of ' . self::sandbox()->classes . "\n",
            $result->output,
        );
    }

    /** @dataProvider brokenFiles */
    public function testABrokenFileIsNamedWithTheLine(string $source, int $line, string $error): void
    {
        self::sandbox()->writeClass('Foo/Good.py', "class Foo_Good:\n    pass\n");
        $file = self::sandbox()->writeClass('Foo/Broken.py', $source);
        $result = $this->check();
        self::assertSame(1, $result->exitCode);
        self::assertStringContainsString("{$file}:{$line}: {$error}", $result->output);
        self::assertStringContainsString("1 class in 1 file of", $result->output);
        self::assertStringEndsWith("error: 1 of the above cannot be used\n", $result->errors);

        $report = json_decode($this->check('--json')->output, true);
        self::assertSame(1, $report['classes']);
        self::assertSame([$file, $line], [$report['broken'][0]['file'], $report['broken'][0]['line']]);
        self::assertStringContainsString($error, $report['broken'][0]['error']);
    }

    /** @return array<string, array{string, int, string}> */
    public static function brokenFiles(): array
    {
        return [
            'syntax' => ["import json\nclass Broken\n    pass\n", 2, "SyntaxError: expected ':'"],
            'import' => ["class Broken:\n    pass\n\nimport nosuch\n", 4, "ModuleNotFoundError: No module named 'nosuch'"],
            'code' => ["class Broken:\n    X = 1 / 0\n", 2, 'ZeroDivisionError: division by zero'],
            'library' => ["import json\n\nclass Broken:\n    X = json.loads('')\n", 4, 'json.decoder.JSONDecodeError: '],
            'exit' => ["import sys\nclass Broken:\n    pass\nsys.exit(3)\n", 4, 'SystemExit: 3'],
            'crash' => [
                "import os\nclass Broken:\n    pass\nos.abort()\n",
                4,
                'the interpreter did not survive its import (killed by SIGABRT)',
            ],
        ];
    }

    public function testWhatPrintsWhileItIsImportedDisturbsNothing(): void
    {
        self::sandbox()->writeClass('Loud.py', "print('{\"end\": \"broken\"}')\nclass Loud:\n    pass\n");
        $result = $this->check();
        self::assertSame(0, $result->exitCode, (string) $result);
        self::assertStringContainsString('{"end": "broken"}', $result->errors);
    }

    public function testWhatNeedsASessionIsNotBroken(): void
    {
        $page = "from php import Controller\n\nclass Page(Controller):\n    pass\n";
        $model = "from tortoise_worker import shared\n\nclass Model:\n    DATA = shared('data', dict)\n";
        $marked = "from tortoise_worker import shareable\n\n@shareable(time_to_live=60)\nclass Marked:\n    pass\n";
        $files = [
            self::sandbox()->writeClass('Page.py', $page),
            self::sandbox()->writeClass('Model.py', $model),
        ];
        self::sandbox()->writeClass('Marked.py', $marked);
        $result = $this->check();
        self::assertSame(0, $result->exitCode, (string) $result);
        foreach ($files as $file) {
            self::assertStringContainsString("{$file}: note: it asks for PHP's classes or shared objects", $result->output);
        }
        self::assertStringContainsString('1 class in 1 file', $result->output);
    }

    public function testAModuleThatCannotBePreloadedIsNamed(): void
    {
        $file = self::sandbox()->writeClass(
            'threads.py',
            "import threading\nthreading.Thread(target=threading.Event().wait, name='ticker', daemon=True).start()\n",
        );
        $result = $this->check('--preload', 'nosuch,threads');
        self::assertSame(1, $result->exitCode);
        self::assertStringContainsString("preload of nosuch: ModuleNotFoundError: No module named 'nosuch'", $result->output);
        self::assertStringContainsString('preload of threads: importing it starts a thread (ticker)', $result->output, $file);
    }

    public function testWrongSettingsAreSaidBeforeAnythingIsImported(): void
    {
        $file = self::sandbox()->write('tortoise.toml', "path = ['classes']\npreloads = ['json']\n");
        $result = self::sandbox()->run([Sidecar::binary(), 'check', '--config', $file])->wait();
        self::assertSame(1, $result->exitCode);
        self::assertStringContainsString('line 2', $result->errors);
        self::assertStringContainsString('unknown field `preloads`', $result->errors);
    }

    private function check(string ...$arguments): ProcessResult
    {
        $roots = ['--path', self::sandbox()->classes];

        return self::sandbox()->run([Sidecar::binary(), 'check', ...$roots, ...$arguments])->wait();
    }
}
