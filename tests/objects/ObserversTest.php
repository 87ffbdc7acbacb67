<?php

declare(strict_types=1);

namespace Tortoise\Tests\Objects;

use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\TestCase;

/** `Tortoise\observe()`: PHP code is told of each call of a Python method, when it begins and when it ends. */
final class ObserversTest extends TestCase
{
    /** Prints what is observed: `+` and the number of the call at its begin, `-` at its end, `!` where it failed. */
    private const WATCH = Script::ATTEMPT . <<<'PHP'

        function watch(): void
        {
            Tortoise\observe(
                function (string $class, string $method): int {
                    static $calls = 0;
                    echo '+', ++$calls, " {$class}::{$method}\n";
                    return $calls;
                },
                function (mixed $token, bool $failed): void {
                    echo $failed ? '!' : '-', "{$token}\n";
                },
            );
        }

        PHP;

    public function testEachKindOfMethodIsObservedByItsNamesInPhp(): void
    {
        self::assertLines(
            ['+1 Seen_Thing::__construct', '-1'],
            'watch(); $o = new Seen_Thing(3);',
        );
        $calls = [
            '$o->twice(4)' => ['Seen_Thing::twice', 8],
            '$o->twice(number: 4)' => ['Seen_Thing::twice', 8],
            'call_user_func([$o, "twice"], 4)' => ['Seen_Thing::twice', 8],
            '($o->twice(...))(4)' => ['Seen_Thing::twice', 8],
            'Seen_Thing::half(4)' => ['Seen_Thing::half', 2],
            'Seen_Thing::made()' => ['Seen_Thing::made', 'Seen_Thing'],
            '$o->later()' => ['Seen_Thing::later', 'later'],
            '$o()' => ['Seen_Thing::__invoke', 'called'],
            '$o->count("eggs")' => ['Seen_Thing::count', 'no eggs'],
            '$below->twice(4)' => ['Seen_Below::twice', 9],
            'Tortoise\import("math")->isqrt(17)' => ['Tortoise\PyObject::isqrt', 4],
        ];
        $code = '$o = new Seen_Thing(3); $below = new Seen_Below(3); watch();';
        $expected = [];
        $number = 0;
        foreach ($calls as $call => [$name, $value]) {
            $code .= "attempt(fn() => {$call});\n";
            $number++;
            array_push($expected, "+{$number} {$name}", "-{$number}", 'value: ' . json_encode($value));
        }
        self::assertLines(
            $expected,
            'class Seen_Below extends Seen_Thing { function twice($number) { return parent::twice($number) + 1; } }' . $code,
        );
    }

    public function testConstructorsAreObservedHoweverTheClassComesByThem(): void
    {
        self::assertLines(
            ['+1 Seen_Plain::__construct', '-1', '+2 Seen_Below::__construct', '-2', '+3 Tortoise\Python\KeyError::__construct', '-3'],
            'class Seen_Below extends Seen_Thing { function __construct() { parent::__construct(3); } }
             watch(); new Seen_Plain(); new Seen_Below(); new Tortoise\Python\KeyError("no");',
        );
    }

    public function testAttributesItemsAndOperatorsAreNoCalls(): void
    {
        self::assertLines(
            ['[3,7,true,false]'],
            '$o = new Seen_Thing(3); watch(); echo json_encode([$o->number, count($o), isset($o->number), $o == 5]);',
        );
    }

    public function testTheExceptionOfACallThatFailsGoesOnAsItIs(): void
    {
        self::assertLines(
            [
                '+1 Seen_Thing::fail',
                '!1',
                'Tortoise\Python\KeyError: no, thrown in Thing.py',
                '+2 Seen_Thing::__construct',
                '!2',
                'Tortoise\Python\ValueError: below zero, thrown in Thing.py',
                '+3 Seen_Thing::twice',
                '!3',
                'ArgumentCountError',
                '+4 Seen_Thing::ask',
                '!4',
                'DomainException: mine, thrown in script.php',
            ],
            <<<'PHP'
                function seen(callable $call): void
                {
                    try {
                        $call();
                    } catch (ArgumentCountError $error) {
                        echo $error::class, "\n";
                    } catch (Throwable $error) {
                        $file = str_ends_with($error->getFile(), 'Thing.py') ? 'Thing.py' : 'script.php';
                        echo $error::class, ': ', trim($error->getMessage(), "'"), ", thrown in {$file}\n";
                    }
                }
                $o = new Seen_Thing();
                watch();
                seen(fn() => $o->fail());
                seen(fn() => new Seen_Thing(-1));
                seen(fn() => $o->twice());
                seen(fn() => $o->ask(fn() => throw new DomainException('mine')));
                PHP,
        );
    }

    public function testCallsInCallbacksAreObservedInsideOfTheOthers(): void
    {
        self::assertLines(
            ['+1 Seen_Thing::ask', '+2 Seen_Thing::ask', '+3 Seen_Thing::twice', '-3', '-2', '-1', '8'],
            '$o = new Seen_Thing(); watch(); echo $o->ask(fn() => $o->ask(fn() => $o->twice(4))), "\n";',
        );
    }

    public function testCallsOfTheObserversAreNotObserved(): void
    {
        self::assertLines(
            ['begin 2', 'end 4', '6'],
            <<<'PHP'
                $o = new Seen_Thing();
                Tortoise\observe(
                    function () use ($o) { echo 'begin ', (new Seen_Thing())->twice(1), "\n"; },
                    function () use ($o) { echo 'end ', $o->ask(fn() => $o->twice(2)), "\n"; },
                );
                echo $o->twice(3), "\n";
                PHP,
        );
    }

    public function testWhatAnObserverThrowsGoesToTheCaller(): void
    {
        self::assertLines(
            [
                'DomainException: begin',
                'value: 0',
                'DomainException: end 10',
                'DomainException: end ',
                'before it: Tortoise\Python\KeyError',
                'DomainException: end ',
                'value: 10',
            ],
            <<<'PHP'
                $o = new Seen_Thing();
                $calls = 0;
                $count = function () use (&$calls) { return ++$calls; };
                Tortoise\observe(fn() => throw new DomainException('begin'));
                attempt(fn() => $o->ask($count));
                attempt(fn() => $calls);
                Tortoise\observe(fn() => 10, function ($token, $failed) { throw new DomainException('end ' . ($failed ? '' : $token)); });
                attempt(fn() => $o->twice(5));
                try {
                    $o->fail();
                } catch (DomainException $error) {
                    echo $error::class, ': ', $error->getMessage(), "\nbefore it: ", get_class($error->getPrevious()), "\n";
                }
                attempt(fn() => new Seen_Thing(-1));
                Tortoise\observe(null);
                attempt(fn() => $o->twice(5));
                PHP,
        );
    }

    public function testExitEndsTheRequestInAnObserverAndInACall(): void
    {
        $end = 'register_shutdown_function(function () use ($o) { echo $o->twice(4), "\n"; });';
        $begin = 'Tortoise\observe(function ($class, $method) use (&$left) { echo "begin {$method}\n"; if (!$left) { $left = true; %s } }, fn() => print("end\n"));';
        $lines = ['begin ask', 'begin twice', 'end', '8'];
        self::assertLines($lines, '$o = new Seen_Thing();' . $end . sprintf($begin, 'exit();') . '$o->ask(fn() => print("not called")); echo "not reached";');
        self::assertLines($lines, '$o = new Seen_Thing();' . $end . sprintf($begin, '') . '$o->ask(function () { exit(); }); echo "not reached";');
        self::assertLines(
            ['begin', 'end', 'bye'],
            'register_shutdown_function(fn() => print("bye\n")); $o = new Seen_Thing();
             Tortoise\observe(fn() => print("begin\n"), function () { echo "end\n"; exit(); });
             try { $o->fail(); } finally { echo "not reached"; }',
        );
    }

    public function testTheyAreTakenOffAndExchanged(): void
    {
        self::assertLines(
            ['first twice', 'first ended', '8', 'second twice', '8', '8', 'off', 'still told of its end', '8', '8'],
            <<<'PHP'
                $o = new Seen_Thing();
                Tortoise\observe(fn($class, $method) => print("first {$method}\n"), fn() => print("first ended\n"));
                echo $o->twice(4), "\n";
                Tortoise\observe(begin: fn($class, $method) => print("second {$method}\n"), end: null);
                echo $o->twice(4), "\n";
                Tortoise\observe(null);
                echo $o->twice(4), "\n";
                // The end of a call is told by the pair that its begin was told by.
                Tortoise\observe(function () { echo "off\n"; Tortoise\observe(null); }, fn() => print("still told of its end\n"));
                echo $o->twice(4), "\n", $o->twice(4), "\n";
                PHP,
        );
    }

    public function testWhoObservesMayCallItsOwnPrivateMethods(): void
    {
        self::assertLines(
            ['twice begins', '8', 'magic'],
            <<<'PHP'
                class Watcher
                {
                    function __construct() { Tortoise\observe([$this, 'begin']); }
                    private function begin(string $class, string $method): void { echo "{$method} begins\n"; }
                }
                class Magic
                {
                    function __call(string $name, array $arguments): void { echo "{$name}\n"; }
                }
                $o = new Seen_Thing();
                new Watcher();
                echo $o->twice(4), "\n";
                Tortoise\observe([new Magic(), 'magic']);
                $o->twice(4);
                PHP,
        );
    }

    public function testWhatIsNoCallableIsRefused(): void
    {
        $lines = self::lines(<<<'PHP'
            attempt(fn() => Tortoise\observe());
            attempt(fn() => Tortoise\observe('no such function'));
            attempt(fn() => Tortoise\observe(fn() => 1, 5));
            attempt(fn() => Tortoise\observe(null, fn() => 1));
            attempt(fn() => Tortoise\observe(null, null));
            attempt(fn() => (new Seen_Thing())->twice(4));
            PHP);
        self::assertStringStartsWith('ArgumentCountError: ', $lines[0]);
        self::assertStringStartsWith('TypeError: Tortoise\observe(): Argument #1 ($begin)', $lines[1]);
        self::assertStringStartsWith('TypeError: Tortoise\observe(): Argument #2 ($end)', $lines[2]);
        self::assertStringStartsWith('Tortoise\AccessException: Tortoise\observe(): $end has no $begin', $lines[3]);
        self::assertSame(['value: null', 'value: 8'], \array_slice($lines, 4));
    }

    public function testTheyAreForOneRequestHoweverItEnds(): void
    {
        $script = self::WATCH . 'parse_str((string) $_SERVER["QUERY_STRING"], $query); eval($query["code"]);';
        $ini = ['tortoise.path' => __DIR__, 'memory_limit' => '16M', 'display_errors' => '0'];
        $server = new HttpServer(self::sandbox(), $script, $ini);
        $get = static fn(string $code): string => $server->get(http_build_query(['code' => $code]));
        $plain = '$o = new Seen_Thing(); attempt(fn() => $o->twice(4));';
        $fatal = '$a = []; while (true) { $a[] = str_repeat("x", 1000); }';
        $observed = "+1 Seen_Thing::__construct\n-1\n+2 Seen_Thing::twice\n-2\nvalue: 8\n";
        foreach ([
            '' => $observed,
            '$o->ask(fn() => exit());' => "{$observed}+3 Seen_Thing::ask\n",
            "\$o->ask(function () { {$fatal} });" => "{$observed}+3 Seen_Thing::ask\n",
            "Tortoise\\observe(function () { {$fatal} }); \$o->twice(5);" => $observed,
            "Tortoise\\observe(fn() => new Seen_Thing(), function () { {$fatal} }); \$o->twice(5);" => $observed,
            'class Late { function __destruct() { watch(); } } Tortoise\observe(fn() => 1, fn() => new Late()); $GLOBALS["late"] = new Late();' => $observed,
        ] as $end => $output) {
            self::assertSame($output, $get("watch(); {$plain} {$end}"), $end);
            self::assertSame("value: 8\n", $get($plain), "behind {$end}");
        }
    }

    /** @param list<string> $expected */
    private static function assertLines(array $expected, string $code): void
    {
        self::assertSame($expected, self::lines($code));
    }

    /** @return list<string> */
    private static function lines(string $code): array
    {
        return explode("\n", rtrim(self::php(self::WATCH . $code, ['tortoise.modules' => 'math'])->cleanOutput()));
    }
}
