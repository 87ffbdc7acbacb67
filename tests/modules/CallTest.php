<?php

declare(strict_types=1);

namespace Tortoise\Tests\Modules;

use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\TestCase;

/** `Tortoise\call()`: functions of scripts in class roots. */
final class CallTest extends TestCase
{
    public function testAFunctionIsCalledWithItsArguments(): void
    {
        $facts = self::evaluate(<<<'PHP'
            return [
                Tortoise\call('greet', 'hello'), Tortoise\call('greet', 'hello', 'you', times: 2), Tortoise\call('greet', 'given', 1, ...['a', 'k' => [null]]),
                Tortoise\call(function: 'hello', script: 'greet'), Tortoise\call('tools/greet', 'hello'), Tortoise\call('tools.greet', 'hello'), Tortoise\call('pack', 'hello'),
                Tortoise\call('greet', 'Greeter', 'it')->name, Tortoise\call('greet', 'join', 'a', 'b'), Tortoise\call(...)('greet', 'hello'),
            ];
            PHP);

        self::assertSame([
            'hello world', 'hello hello you', "(1, 'a') {'k': [None]}",
            'hello world', 'hello from tools', 'hello from tools', 'hello from pack',
            'it', 'a/b', 'hello world',
        ], $facts);
    }

    public function testTheScriptIsOneModuleWhoeverAsks(): void
    {
        $code = 'return [Tortoise\call("Reach", "Reach")->mine() === Tortoise\import("Reach"), get_class(Tortoise\call("Reach", "Reach")), Tortoise\call("greet", "given"), Tortoise\import("greet")->imports];';
        self::assertSame([true, 'Reach', '() {}', 1], self::evaluate($code));
    }

    public function testWhatIsMissingIsSaid(): void
    {
        $root = self::sandbox()->classes;
        $output = self::php(Script::ATTEMPT . <<<'PHP'
            attempt(fn() => Tortoise\call('absent/script', 'f'));
            attempt(fn() => Tortoise\call('greet.py', 'hello'));
            attempt(fn() => Tortoise\call('greet', 'helo'));
            attempt(fn() => Tortoise\call('greet', 'answer'));
            attempt(fn() => Tortoise\call('greet', '_private'));
            attempt(fn() => Tortoise\call('_greet', 'hello'));
            attempt(fn() => Tortoise\call('greet'));
            attempt(fn() => Tortoise\call('greet', 'fail'));
            attempt(fn() => Tortoise\call('broken', 'f'));
            attempt(fn() => Tortoise\call('greet', 'hello', STDIN));
            attempt(fn() => Tortoise\call('greet', 'hello', 1, 2, 3));
            PHP, classes: ['broken.py' => 'raise RuntimeError("broken script")'])->cleanOutput();
        $lines = explode("\n", $output);

        self::assertStringStartsWith("Tortoise\\AccessException: there is no script 'absent/script': looked for {$root}/absent/script.py, ", $lines[0]);
        self::assertStringContainsString(__DIR__ . '/absent/script/__init__.py', $lines[0]);
        self::assertStringContainsString('a script is named without .py', $lines[1]);
        self::assertStringStartsWith('Tortoise\Python\AttributeError: ' . __DIR__ . "/greet.py has no function 'helo'; it has join, hello, given, ", $lines[2]);
        self::assertStringContainsString("has no function 'answer'", $lines[3]);
        self::assertSame('Tortoise\AccessException: "_private" of script "greet" is not for PHP: names with a leading underscore are private', $lines[4]);
        self::assertStringContainsString('private', $lines[5]);
        self::assertSame('ArgumentCountError: Tortoise\call() takes at least 2 arguments, a script and a function, 1 given', $lines[6]);
        self::assertSame("Tortoise\\Python\\KeyError: 'greet'", $lines[7]);
        self::assertSame('Tortoise\Python\RuntimeError: broken script', $lines[8]);
        self::assertStringStartsWith('Tortoise\ConversionException: args[0]: ', $lines[9]);
        self::assertStringStartsWith('Tortoise\Python\TypeError: ', $lines[10]);
    }

    /** @dataProvider hostileNames */
    public function testNamesThatNoScriptHas(string $script, string $function): void
    {
        $names = var_export($script, true) . ', ' . var_export($function, true);
        $code = "attempt(fn() => Tortoise\\call({$names})); attempt(fn() => Tortoise\\call('tools/greet', 'hello'));";
        $output = self::php(Script::ATTEMPT . $code)->cleanOutput();
        self::assertMatchesRegularExpression('/^Tortoise\\\\AccessException: [^\n]{1,1000}\nvalue: "hello from tools"\n$/', $output);
    }

    /** @return list<array{string, string}> */
    public static function hostileNames(): array
    {
        $scripts = ['', '/', '.', '..', '../modules/greet', './greet', '/greet', 'greet/', 'tools//greet', "greet\0", 'gre et', "\xff", str_repeat('a', 2000), '_greet', 'tools/_x', 'greet:hello'];
        $functions = ['', '_private', '__init__', 'hello()', 'Greeter.name', "hello\0", "\xff", str_repeat('f', 2000)];

        return [
            ...array_map(static fn(string $script): array => [$script, 'hello'], $scripts),
            ...array_map(static fn(string $function): array => ['greet', $function], $functions),
        ];
    }

    public function testALinkOutOfTheRootIsRefused(): void
    {
        $outside = self::sandbox()->write('outside.py', 'def f(): return "outside"');
        symlink($outside, self::sandbox()->classes . '/inside.py');
        $output = self::php(Script::ATTEMPT . 'attempt(fn() => Tortoise\call("inside", "f")); attempt(fn() => Tortoise\import("inside"));')->cleanOutput();
        self::assertSame(2, substr_count($output, 'Tortoise\AccessException: '), $output);
        self::assertSame(2, substr_count($output, 'symbolic link out of the class root'), $output);
    }

    public function testRegisteredRootsCount(): void
    {
        $file = self::sandbox()->write('more/late.py', 'def f(): return "late"');
        $code = 'echo Tortoise\call("greet", "hello"); Tortoise\register(' . var_export(\dirname($file), true) . '); echo Tortoise\call("late", "f"), Tortoise\import("late")->f();';
        self::assertSame('hello worldlatelate', self::php($code)->cleanOutput());
    }

    public function testASessionThatWasLostBetweenRequestsIsReplaced(): void
    {
        $server = new HttpServer(self::sandbox(), 'echo Tortoise\call("process", "pid");');
        self::sandbox()->writeClass('process.py', "import os\ndef pid(): return os.getpid()\n");
        $first = (int) $server->get();
        Processes::kill($first);
        Processes::awaitEnd($first);
        $second = (int) $server->get();
        self::assertGreaterThan(0, $second);
        self::assertNotSame($first, $second);
    }
}
