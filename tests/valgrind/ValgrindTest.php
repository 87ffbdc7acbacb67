<?php

declare(strict_types=1);

namespace Tortoise\Tests\Valgrind;

use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\TestCase;

/** PHP under valgrind: no invalid access, nothing uninitialised, nothing lost where the extension has a part in it. */
final class ValgrindTest extends TestCase
{
    private const ERROR = 99;

    /** Construct, call, attributes, values, exceptions, class synthesis, and the end of the request. */
    public function testTheBasicPath(): void
    {
        $output = self::underValgrind(<<<'PHP'
            $o = new Memory_Probe('name', 1, [2], key: ['k' => 'v'], further: 3);
            attempt(fn() => [$o->name, $o->rest, $o->key, $o->more, $o->computed]);
            foreach ([null, true, 1, 1.5, 'text', "\xff", [], [1, [2]], ['a' => ['b' => 1]], [5 => 'x'], $o] as $value) {
                $same = $o->echo($value);
                echo json_encode($same === $value), ' ';
            }
            $o->list = [1, 2];
            isset($o->list, $o->missing);
            unset($o->list);
            empty($o->name);
            attempt(fn() => count($o->values()));
            attempt(fn() => $o->other()->name . $o->other()->rest[0]->name);
            attempt(fn() => $o->me() === $o);
            attempt(fn() => [Memory_Probe::SIDES, Memory_Probe::NAMES, Memory_Probe::static(1), Memory_Probe::static(y: 1, x: 2), Memory_Probe::make()->name]);
            attempt(fn() => $o->fail());
            attempt(fn() => $o->echo(new stdClass()));
            attempt(fn() => Memory_Probe::static());
            attempt(fn() => $o->missing);
            attempt(fn() => class_exists('Memory_Nothing'));
            $r = new ReflectionClass($o);
            attempt(fn() => strlen($r->getDocComment()) + count($r->getMethods()) + count($r->getConstants()));
            $large = $o->echo(str_repeat('large', 100000));
            $many = $o->echo(array_fill(0, 10000, ['x' => 1.5]));
            $kept = $o;
            PHP);
        self::assertStringContainsString('value: ["name",[1,[2]],{"k":"v"},{"further":3},"NAME"]', $output);
        self::assertStringContainsString('value: true', $output);
        self::assertStringContainsString('ValueError: level 3', $output);
    }

    /** What the engine does in other ways than by a plain call, and errors in the middle of them. */
    public function testTheOddPaths(): void
    {
        $output = self::underValgrind(<<<'PHP'
            $o = new Memory_Probe();
            attempt(fn() => [$o->dynamic(1, a: 2), $o->dynamicOther(), $o->dynamic(...[1, 2, 'n' => 3])]);
            attempt(fn() => $o->nothing());
            attempt(fn() => Memory_Probe::nothing());
            $call = $o->dynamic(...);
            $echo = $o->echo(...);
            $static = Memory_Probe::static(...);
            attempt(fn() => [$call('c'), $echo('e'), $static(3), array_map([$o, 'echo'], [1, 2]), call_user_func([$o, 'dynamicX'], 1)]);
            attempt(fn() => is_callable([$o, 'dynamic']) && !is_callable([$o, 'nothing']));
            for ($i = 0; $i < 3; $i++) {
                attempt(fn() => new Memory_Refuses($i));
            }
            try {
                new Memory_Refuses($o);
            } catch (Exception $e) {
                attempt(fn() => $e->getPythonException()->value === $o);
                attempt(fn() => [$e->getPrevious(), strlen($e->getPythonTraceback()) > 10, $e->getPythonClass()]);
                $again = $e;
            }
            class Sub extends Memory_Probe
            {
                public array $own = ['x'];
                public function echo($value = null, $default = null, ...$more) { return [$this->own, parent::echo($value), $this->name]; }
                public static function make() { return parent::make(); }
            }
            $sub = new Sub('sub');
            attempt(fn() => [$sub->echo(1), $sub->own, Sub::make()->name, $sub->dynamic(1), $sub instanceof Memory_Probe]);
            class NotMade extends Memory_Probe { public function __construct() { } }
            attempt(fn() => (new NotMade())->echo(1));
            attempt(fn() => (new NotMade())->name);
            attempt(fn() => new Memory_Probe(...['name' => 'n', 'key' => $o]) == $o);
            attempt(fn() => $o->__construct());
            attempt(fn() => $o->rest[] = 1);
            attempt(fn() => sort($o->rest));
            attempt(fn() => clone $o);
            attempt(fn() => serialize($o));
            attempt(fn() => $o->fail(depth: 30));
            attempt(fn() => Tortoise\type('Memory_Probe')->shared);
            attempt(fn() => Tortoise\type('Nothing'));
            attempt(fn() => Tortoise\register('/nowhere'));
            attempt(fn() => Tortoise\configure(['x' => 1]));
            attempt(fn() => Tortoise\Bridge\method());
            attempt(fn() => Tortoise\Bridge\construct(1, 2));
            attempt(fn() => Tortoise\Bridge\dynamic_method());
            attempt(fn() => Tortoise\status()['classes'] > 1);
            attempt(fn() => var_export($o, true) . print_r($o, true) . json_encode($o));
            class_alias('Memory_Probe', 'Alias');
            attempt(fn() => (new Alias('alias'))->name);
            $cycle = [$o, $sub]; $cycle[] = &$cycle;
            attempt(fn() => $o->echo($cycle));
            $deep = []; for ($i = 0; $i < 600; $i++) { $deep = [$deep]; }
            attempt(fn() => $o->echo($deep));
            $generator = (function () use ($o) { yield $o->name; yield $o->other(); })();
            $generator->current();
            // PHP itself collects no cycles at its end.
            unset($cycle[2]);
            $GLOBALS['kept'] = [$generator, $call, $echo, $static, $again, &$cycle];
            PHP);
        self::assertStringContainsString('value: [["dynamic",[1],{"a":2}]', $output);
        self::assertStringContainsString('Memory_Error: refused', $output);
        self::assertStringContainsString("AccessException: the functions of Tortoise\\Bridge are for generated classes only", $output);
    }

    /** @dataProvider endings */
    public function testAnEndInTheMiddle(string $code, int $exitCode): void
    {
        // PHP itself leaves its memory where it lies when a fatal error ends it, so only accesses are looked at.
        $code = '$o = new Memory_Probe(); $GLOBALS["kept"] = [$o, $o->other(), $o->dynamic(...)]; ' . $code;
        self::underValgrind($code, ['--leak-check=no'], $exitCode);
    }

    /** @return array<string, array{string, int}> */
    public static function endings(): array
    {
        return [
            'exit' => ['(function () use ($o) { $o->name; exit(3); })();', 3],
            'a fatal error' => ['array_map(function () use ($o) { $o->name; trigger_error("x", E_USER_ERROR); }, [$o]);', 255],
            'a compile error' => ['eval("class Bad extends Memory_Probe { function echo(string \$a, \$b) {} }");', 255],
            'an exception' => ['$o->fail();', 255],
            'a fork' => ['if (pcntl_fork() === 0) { attempt(fn() => $o->name); echo (new Memory_Probe())->name; exit(0); } pcntl_wait($s); exit(pcntl_wexitstatus($s));', 0],
            'a lost session' => ['attempt(fn() => $o->end_session()); attempt(fn() => $o->name); attempt(fn() => (new Memory_Probe())->name);', 0],
            'cycles' => ['class C { public $me; public $o; } $c = new C(); $c->me = $c; $c->o = $o; $a = [$o]; $a[] = &$a; unset($c, $a, $o);', 0],
            'a late answer' => ['ini_set("tortoise.timeout", "0.001"); attempt(fn() => $o->wait_for_it(10)); attempt(fn() => $o->name);', 0],
        ];
    }

    /** @param list<string> $options */
    private static function underValgrind(
        string $code,
        array $options = ['--leak-check=full', '--show-leak-kinds=definite', '--errors-for-leak-kinds=definite'],
        int $exitCode = 0,
    ): string {
        $log = self::sandbox()->path('valgrind.log');
        $result = self::php(
            Script::ATTEMPT . $code,
            environment: ['USE_ZEND_ALLOC' => '0', 'ZEND_DONT_UNLOAD_MODULES' => '1'],
            wrapper: [
                'valgrind', '--quiet', '--error-exitcode=' . self::ERROR, '--num-callers=40', "--log-file={$log}",
                ...$options,
            ],
            seconds: 300,
        );
        self::assertSame($exitCode, $result->exitCode, $result . file_get_contents($log));

        return $result->output;
    }
}
