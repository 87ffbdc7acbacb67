<?php

declare(strict_types=1);

namespace Tortoise\Tests\Faults;

use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\TestCase;

/** The functions that generated classes call are of no use to anybody else. */
final class BridgeFunctionsTest extends TestCase
{
    public function testUserCodeIsRefused(): void
    {
        $lines = explode("\n", self::php(Script::ATTEMPT . <<<'PHP'
            $o = new Fault_Process();
            function plain() { return Tortoise\Bridge\method(); }
            function withArguments($a, ...$more) { return Tortoise\Bridge\method($a, ...$more); }
            class Mine extends Fault_Process
            {
                public $calls = [];
                public function pid() { return Tortoise\Bridge\method(); }
                public static function stat() { return Tortoise\Bridge\method(); }
                public function __get($name) { return Tortoise\Bridge\construct(); }
            }
            $mine = new Mine();
            $names = ['method', 'construct', 'dynamic_method', 'dynamic_static'];
            foreach ($names as $name) {
                $function = "Tortoise\\Bridge\\{$name}";
                attempt(fn() => $function());
                attempt(fn() => $function(1, 'two', [3]));
                attempt(fn() => $function(named: $o));
                attempt(fn() => call_user_func($function));
                attempt(fn() => call_user_func_array($function, [1, 'x' => 2]));
                attempt(fn() => array_map($function, [1]));
                attempt(fn() => Closure::fromCallable($function)());
                attempt(Closure::bind(fn() => $function(), $o, Fault_Process::class));
                attempt(@Closure::fromCallable($function)->bindTo($o) ?? fn() => $function());
                attempt(fn() => (new ReflectionFunction($function))->invoke());
                attempt(fn() => (function () use ($function) { yield $function(); })()->current());
            }
            attempt(fn() => plain());
            attempt(fn() => withArguments(1, 2, x: 3));
            attempt(fn() => $mine->pid());
            attempt(fn() => Mine::stat());
            attempt(fn() => eval('return Tortoise\Bridge\method();'));
            register_shutdown_function('Tortoise\Bridge\method');
            echo "end\n";
            attempt(fn() => $o->value);
            set_error_handler('Tortoise\Bridge\method');
            attempt(function () { trigger_error('x'); });
            PHP)->output);
        $end = array_search('end', $lines, true);
        self::assertSame(49, $end);
        foreach (\array_slice($lines, 0, $end) as $at => $line) {
            self::assertMatchesRegularExpression('/^(Tortoise\\\\AccessException: |Error: Unknown named parameter)/', $line, "attempt {$at}");
        }
        self::assertSame('value: 1', $lines[$end + 1]);
        self::assertStringStartsWith('Tortoise\AccessException: ', $lines[$end + 2]);
    }
}
