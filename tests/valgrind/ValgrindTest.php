<?php

declare(strict_types=1);

namespace Tortoise\Tests\Valgrind;

use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\TestCase;

/** PHP under valgrind: no invalid access, nothing uninitialised, nothing lost where the extension has a part in it. */
final class ValgrindTest extends TestCase
{
    private const ERROR = 99;

    private const SHELF = <<<'PHP'
        $o = new Memory_Shelf(5);
        foreach (range(1, 40) as $i) { $o[] = $i; }
        $o['text'] = 'a text'; $o['list'] = [1, 2, ['x' => 'y']]; $o['shelf'] = new Memory_Shelf(6);

        PHP;

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

    public function testLoopsAndItems(): void
    {
        $output = self::underValgrind(self::SHELF . <<<'PHP'
            function sum($o) { $s = 0; foreach ($o as $k => $x) { if (is_int($x)) $s += $x; } return [$s, $k]; }
            attempt(fn() => sum($o));
            attempt(function () use ($o) { foreach ($o as $x) { foreach ($o as $y) { if ($y == 3) break 2; } } return $y; });
            attempt(function () use ($o) { foreach ($o as $x) { throw new Exception('inside'); } });
            attempt(function () use ($o) { foreach ($o->counted(5) as $x) { if (is_array($x) && $x['i'] === 2) break; } return $o->log; });
            attempt(function () use ($o) { foreach ($o->counted(3, true) as $x) { } });
            attempt(function () use ($o) { foreach ($o->counted(3) as $x) { throw new Exception('in generator'); } });
            $gen = function () use ($o) { yield 'first' => 1; $r = yield from $o->counted(4); yield from $o; foreach ($o as $k => $v) { yield $k => $v; } };
            attempt(fn() => count(iterator_to_array($gen(), false)));
            attempt(fn() => count(iterator_to_array($o)));
            attempt(fn() => [...$o->counted(3)][0]);
            attempt(fn() => max(...$o->made(3)) == 2);
            attempt(function () use ($o) { $it = $o->getIterator(); $it->rewind(); $a = $it->current(); $it->next(); return [$a, $it->current(), $it->key(), $it->valid()]; });
            attempt(function () use ($o) { $it = new LimitIterator(new IteratorIterator($o), 1, 3); return iterator_to_array($it); });
            attempt(function () use ($o) { $it = new CachingIterator(new IteratorIterator($o->counted(3))); $n = 0; foreach ($it as $x) $n++; return $n; });
            attempt(function () use ($o) { foreach ($o as &$x) { } });
            attempt(fn() => new ArrayIterator($o));
            attempt(fn() => $o->toArray());
            attempt(fn() => $o->toArray(1));
            attempt(fn() => [$o['text'], $o['list'][2]['x'], $o['text'][2], $o['shelf']['none'] ?? 'nothing', isset($o['list'][2]['x']), isset($o['list'][2]['z']), isset($o['none']['b']), empty($o['text']), $o['none'] ?? 'dflt', isset($o['text'][100])]);
            attempt(fn() => $o['1:3']);
            attempt(fn() => $o['none']);
            attempt(fn() => $o[new Memory_Shelf(1)]);
            attempt(fn() => $o[[1, 2]]);
            attempt(fn() => $o[new stdClass]);
            attempt(fn() => $o['list'][0] = 5);
            attempt(fn() => $o['list'][] = 5);
            attempt(function () use ($o) { $o['shelf']['deep'] = ['v']; $o['shelf']['deeper'] ??= str_repeat('q', 50); $o['shelf']['deeper'] ??= 1; return [$o['shelf']['deep'], $o['shelf']['deeper']]; });
            attempt(function () use ($o) { $f = function (&$r) { $r = 1; }; $f($o['list']); });
            attempt(function () use ($o) { $f = function (&$r) { $r = 1; }; $f($o['shelf']); return (string) $o['shelf']; });
            attempt(function () use ($o) { ['text' => $t, 'list' => [, $two]] = $o; return [$t, $two]; });
            attempt(function () use ($o) { [0 => &$t] = $o; });
            attempt(function () use ($o) { foreach ($o['list'] as $x) { $r[] = $x; } return $r; });
            attempt(function () use ($o) { foreach ($o['list'] as &$x) { $x = 1; } });
            attempt(function () use ($o) { $o['n'] = 1; $o['n'] += 5; $o['n']++; $o['s'] = 'x'; $o['s'] .= str_repeat('y', 3); return [$o['n'], $o['s']]; });
            attempt(function () use ($o) { $o['shelf'] += 5; return (string) $o['shelf']; });
            attempt(function () use ($o) { unset($o['n'], $o['shelf']['deep']); unset($o['none']); });
            attempt(function () use ($o) { unset($o['list'][0]); });
            attempt(function () use ($o) { $r = &$o['x']; });
            attempt(fn() => $o[] = $o);
            attempt(fn() => $o[][1] = 2);
            attempt(fn() => $o[Tortoise\slice(1, null, str_repeat('x', 3))]);
            $kept = $o->getIterator(); $kept->rewind();
            $open = $gen(); $open->current(); $open->next(); $open->next();
            PHP);
        self::assertStringContainsString('value: [820,42]', $output);
        self::assertStringContainsString('ValueError: the generator fails', $output);
        self::assertStringContainsString('value: [["v"],"', $output);
    }

    public function testOperatorsAndComparison(): void
    {
        $output = self::underValgrind(self::SHELF . <<<'PHP'
            $s = str_repeat('1', 2);
            attempt(fn() => [(string) ($o + 1), (string) (1 + $o), (string) ($o - $o), (string) ($s - $o), $o * 3, $o / 2, -$o, ~$o]);
            attempt(fn() => $o + 'text' . $s);
            attempt(fn() => $o + []);
            attempt(fn() => [] + $o);
            attempt(fn() => $o % 2);
            attempt(fn() => $o . ' joined');
            attempt(fn() => $o + new stdClass);
            attempt(fn() => new stdClass + $o);
            attempt(fn() => $o & 1);
            attempt(fn() => 7 ** $o);
            attempt(function () use ($o) { $a = $o; $a += 1; $a -= $a; $a = $a + $a; $a++; ++$a; $b = $a++; $a--; $r = &$a; $r += $b; return [(string) $a, (string) $b]; });
            attempt(function () use ($o) { $x = str_repeat('2', 2); $x += $o; $y = [1]; try { $y += $o; } finally { return [(string) $x, $y]; } });
            attempt(function () use ($o) { $a = new Memory_Shelf(1); $a /= 2; $b = new Memory_Shelf(2); $b *= 3; return [$a, $b]; });
            attempt(function () use ($o) { $a = new Memory_Shelf(1); try { $a += 'bad'; } catch (Throwable $e) { return [(string) $a, $e::class]; } });
            attempt(function () use ($o) { $p = new stdClass; $p->x = $o; $p->x += 1; $p->arr = [$o]; $p->arr[0] -= 2; $p->arr[0]++; return [(string) $p->x, (string) $p->arr[0]]; });
            attempt(function () use ($o) { $p = new class { public int|Memory_Shelf $v = 1; public int $i = 1; }; $p->v += $o; $p->v++; try { $p->i += $o; } catch (TypeError $e) {} return [(string) $p->v, $p->i]; });
            attempt(fn() => [$o == 5, 5 == $o, $o == new Memory_Shelf(5), $o < 6, $o <=> 4, $o == 'text', $o == null, $o == true, null < $o, $o == [5], $o == new stdClass, $o != $o, $o >= 5, $o === $o]);
            attempt(function () use ($o) { $l = array_reverse($o->made(10)); sort($l); usort($l, fn($a, $b) => $b <=> $a); rsort($l); return [implode(',', $l), in_array(3, $l), in_array(new Memory_Shelf(4), $l), array_search(5, $l), in_array($l[0], $l, true), count(array_unique($l)), (string) max($l), (string) min($l)]; });
            attempt(fn() => [$o->made(2) == $o->made(2), $o->made(2) < $o->made(3)]);
            attempt(function () use ($o) { switch ($o) { case 4: return 4; case 5: return 'five'; } });
            attempt(fn() => match (true) { $o == 1 => 1, default => 'd' });
            attempt(fn() => $o < 'text');
            attempt(fn() => $o < new stdClass);
            PHP);
        self::assertStringContainsString('value: ["shelf 6","shelf 6","shelf 0","shelf 6",[5,5,5],2.5,', $output);
        self::assertStringContainsString('value: ["shelf 4","shelf 2"]', $output);
        self::assertStringContainsString('value: "five"', $output);
    }

    public function testCastsCopiesModulesAndContexts(): void
    {
        $output = self::underValgrind(self::SHELF . <<<'PHP'
            attempt(fn() => [(string) $o, (int) $o, (float) $o, (bool) $o, strlen($o), "$o!", intval($o), floatval($o), settype($o, 'string')]);
            attempt(fn() => json_encode([clone $o, $o], JSON_PRETTY_PRINT));
            attempt(fn() => json_encode(Tortoise\import('decimal')->Decimal('1.5')));
            attempt(fn() => json_encode(Tortoise\import('collections')->OrderedDict(['a' => 1, 'e' => []])));
            ob_start(); var_dump($o, [$o]); print_r($o); var_export($o); var_export([$o]); debug_zval_dump($o, $o->made(2), $o->rows(3)); ob_end_clean();
            attempt(fn() => clone $o == $o);
            attempt(fn() => (clone $o)['text']);
            class SubShelf extends Memory_Shelf { public array $own = ['x']; public $loop; public function __clone() { $this->own[] = 'cloned'; } public function __destruct() { if (!empty($GLOBALS['calls'])) { $GLOBALS['last'] = (string) $this; } } public function offsetGet($k): mixed { return 'own ' . (is_string($k) ? $k : '') . count($this); } public function getIterator(): Iterator { return (function () { yield 'before'; yield from parent::getIterator(); })(); } }
            attempt(function () { $s = new SubShelf(3); $s['x'] = 'y'; $c = clone $s; return [$c->own, $s['x'], iterator_to_array($c, false), (string) $c, get_class($c + 1), $c == $s, json_encode((string) $s)]; });
            attempt(fn() => Tortoise\import('math')->sqrt(16));
            attempt(fn() => Tortoise\import('no_such_module'));
            attempt(fn() => Tortoise\call('no/such', 'f'));
            attempt(fn() => Tortoise\with($o, fn($v) => [(string) $v['shelf'], str_repeat('r', 3)]));
            attempt(fn() => Tortoise\with($o, function ($v) { throw new Exception('from the body'); }));
            attempt(fn() => Tortoise\with($o, function ($v) { throw new Exception('swallow me'); }));
            attempt(fn() => Tortoise\with($o, function ($v) use ($o) { $o['none']; }));
            attempt(fn() => Tortoise\with($o, 'no_function'));
            attempt(fn() => Tortoise\with($o, function &($v) { static $x = ['r']; return $x; }));
            attempt(fn() => Tortoise\with($o, function (&$v) { $v = 1; return $v; }));
            attempt(fn() => $o->log);
            PHP, ini: ['tortoise.modules' => '*']);
        self::assertStringContainsString('value: [["x","cloned"],"own x1",["before","y"],"shelf 3",', $output);
        self::assertStringContainsString('Exception: from the body', $output);
    }

    /** Texts, vectors and rows, three times: the keys of rows are remembered. */
    public function testBulk(): void
    {
        $output = self::underValgrind(self::SHELF . <<<'PHP'
            for ($n = 0; $n < 3; $n++) {
                foreach (['text' => 100000, 'rows' => 500, 'texts' => 3000, 'floats' => 50000, 'integers' => 3000, 'mixed' => 3000, 'other' => 300] as $kind => $size) {
                    $large = $o->large($kind, $size);
                    if (is_array($large) && $kind != 'rows') { $large[] = 1.5; $large['k'] = 2; unset($large[3]); }
                    $same = $o->echo([$large, $large]);
                    if ($kind != 'rows' && $same !== [$large, $large]) { echo "NOT SAME $kind\n"; }
                    if ($kind == 'rows') { $large[1]['new'] = 1; unset($large[2]['id']); $large[3]['id'] = 'x'; echo json_encode([isset($large[2]['name'], $large[400]['price']), isset($large[400]['nothing']), array_keys($large[2]), count($large[1]), (string) $large[9]['owner']]), "\n"; $o->echo($large); }
                }
            }
            PHP);
        self::assertSame(3, substr_count($output, '[true,false,["name","price","owner"],5,"shelf 5"]'));
        self::assertStringNotContainsString('NOT SAME', $output);
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
            'exit in loops' => ['$o = new Memory_Shelf(); $o[] = 1; foreach ($o as $x) { foreach ($o->counted(5) as $y) { exit(5); } }', 5],
            'a fatal error in a loop' => ['foreach ((new Memory_Shelf())->counted(5) as $y) { trigger_error("x", E_USER_ERROR); }', 255],
            'exit in a context' => ['Tortoise\\with(new Memory_Shelf(), function () { exit(4); });', 4],
            'a fatal error in a context' => ['Tortoise\\with(new Memory_Shelf(), function () { trigger_error("x", E_USER_ERROR); });', 255],
            'a session lost in a loop' => ['$o = new Memory_Shelf(); foreach ($o->counted(5) as $y) { attempt(fn() => $o->end_session()); }', 255],
            'a session lost in a context' => ['$o = new Memory_Shelf(); attempt(fn() => Tortoise\\with($o, fn() => $o->end_session()));', 0],
            'a fork in a loop' => ['$o = new Memory_Shelf(); $i = $o->counted(9)->getIterator(); $i->rewind(); foreach ($o->counted(5) as $y) { if (($p = pcntl_fork()) === 0) { attempt(fn() => $i->next()); exit(0); } pcntl_waitpid($p, $s); } $i->next(); exit(pcntl_wexitstatus($s));', 0],
            'open generators' => ['$o = new Memory_Shelf(); function open($o) { try { foreach ($o->counted(9) as $x) { yield $x; } } finally { attempt(fn() => (string) $o); } } $g = open($o); $g->current(); $h = open($o); $h->current(); $a = [$h]; $a[] = &$a;', 0],
            'a late answer' => ['ini_set("tortoise.timeout", "0.001"); attempt(fn() => $o->wait_for_it(10)); attempt(fn() => $o->name);', 0],
        ];
    }

    /**
     * @param list<string> $options
     * @param array<string, string> $ini
     */
    private static function underValgrind(
        string $code,
        array $options = ['--leak-check=full', '--show-leak-kinds=definite', '--errors-for-leak-kinds=definite'],
        int $exitCode = 0,
        array $ini = [],
    ): string {
        $log = self::sandbox()->path('valgrind.log');
        $result = self::php(
            Script::ATTEMPT . $code,
            $ini,
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
