<?php

declare(strict_types=1);

namespace Tortoise\Tests\Lifecycle;

use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\ProcessResult;
use Tortoise\Tests\Support\TestCase;

/** opcache keeps compiled scripts over requests; our classes live in one request, and preloading connects nowhere. */
final class OpcacheTest extends TestCase
{
    protected function setUp(): void
    {
        if (!\extension_loaded('Zend OPcache')) {
            self::markTestSkipped('opcache is not installed');
        }
    }

    public function testPreloadingConnectsNowhereAndFindsNoPythonClass(): void
    {
        $preload = self::sandbox()->write('preload.php', '<?php class Loaded { function thing() { return new Life_Thing("later"); } }'
            . '$facts = [class_exists("Life_Thing"), Tortoise\status()["connected"]];'
            . 'try { new Life_Thing(); } catch (Error $e) { $facts[] = $e->getMessage(); }'
            . 'file_put_contents(__DIR__ . "/facts.json", json_encode($facts));');
        $result = self::cached('echo (new Loaded())->thing()->name;', ['opcache.preload' => $preload]);
        self::assertSame('later', $result->cleanOutput());
        $facts = json_decode((string) file_get_contents(self::sandbox()->path('facts.json')), true);
        self::assertSame([false, false, 'Class "Life_Thing" not found'], $facts);
    }

    public function testAPreloadedSubclassOfAPythonClassIsLeftForLater(): void
    {
        self::sandbox()->write('sub.php', '<?php class Sub extends Life_Thing { function hello() { return "hello {$this->name}"; } }');
        $preload = self::sandbox()->write('preload.php', '<?php opcache_compile_file(__DIR__ . "/sub.php");');
        $code = 'require __DIR__ . "/sub.php"; echo (new Sub("you"))->hello();';
        $result = self::cached($code, ['opcache.preload' => $preload]);
        self::assertSame('hello you', $result->output, (string) $result);
        self::assertSame(0, $result->exitCode);
    }

    /** @dataProvider modes */
    public function testCachedScriptsWorkInEveryRequest(string $optimization, string $jit): void
    {
        $script = self::sandbox()->write('app.php', <<<'PHP'
            <?php
            class Sub extends Life_Thing
            {
                public int $calls = 0;
                public function note($line) { $this->calls++; return parent::note($line); }
            }
            function work(): array
            {
                $o = new Sub('sub');
                for ($i = 0; $i < 300; $i++) {
                    $o->note("line {$i}");
                }
                try {
                    $o->note();
                } catch (ArgumentCountError $e) {
                    $error = $e->getMessage();
                }
                try {
                    (new Life_Thing())->note();
                } catch (ArgumentCountError $e) {
                    $error .= ' | ' . $e->getMessage();
                }
                return [$o->calls, $o->name, Sub::SIDES, Life_Thing::SIDES, $o instanceof Life_Thing, Sub::living(), $error];
            }
            PHP);
        $ini = [
            'zend_extension' => 'opcache', 'opcache.enable' => '1', 'opcache.enable_cli' => '1', 'opcache.validate_timestamps' => '0',
            'opcache.optimization_level' => $optimization, 'opcache.jit' => $jit, 'opcache.jit_buffer_size' => '16M',
            'opcache.jit_hot_func' => '2', 'opcache.jit_hot_loop' => '2', 'tortoise.path' => __DIR__,
        ];
        $server = new HttpServer(self::sandbox(), 'require ' . var_export($script, true) . '; echo json_encode(work());', $ini);
        $expected = [300, 'sub', 2, 2, true, 1];
        for ($request = 0; $request < 5; $request++) {
            $facts = json_decode($body = $server->get(), true);
            self::assertIsArray($facts, $body);
            self::assertSame($expected, \array_slice($facts, 0, 6));
            self::assertStringContainsString('Life_Thing::note()', $facts[6]);
            self::assertStringContainsString('line', $facts[6]);
        }
    }

    /** @dataProvider modes */
    public function testOperatorsAndItemsAreThoseOfTheObject(string $optimization, string $jit): void
    {
        $result = self::cached(<<<'PHP'
            function work(callable $decimal, object $list): array
            {
                $a = $decimal('0');
                $one = $decimal('1');
                $number = 0;
                $less = $seen = 0;
                for ($i = 0; $i < 100; $i++) {
                    $a = $a + $one;
                    $a += 1;
                    $a = 2 * $a - $a;
                    $b = $a++;
                    $number = $i;
                    $number += $one;
                    $less += (int) ($b < $a) + (int) ($a == $a + 0) + (int) (5 <=> $one);
                    $list[] = $i;
                    $list[0] = $list[0] + $list[-1];
                    $seen += isset($list[$i], $list[0]) + ($list[1000] ?? 1);
                    foreach ($list as $key => $item) { if ($key > 2) { break; } $seen += $item; }
                }
                return [(string) $a, (string) $b, (string) $number, $less, $list[0], count($list), $seen];
            }
            echo json_encode(work(Tortoise\import('decimal')->Decimal(...), Tortoise\import('collections')->UserList([0])));
            PHP, [
            'tortoise.modules' => '*', 'opcache.optimization_level' => $optimization, 'opcache.jit' => $jit,
            'opcache.jit_buffer_size' => '16M', 'opcache.jit_hot_func' => '2', 'opcache.jit_hot_loop' => '2',
        ]);
        $seen = 0;
        for ($i = 0, $list = [0]; $i < 100; $i++) {
            $list[] = $i;
            $list[0] += $i;
            $seen += 2 + array_sum(\array_slice($list, 0, 3));
        }
        self::assertSame(['300', '299', '100', 300, 4950, 101, $seen], json_decode($result->cleanOutput(), true));
    }

    /** @return array<string, array{string, string}> */
    public static function modes(): array
    {
        return [
            'as usual' => ['0x7FFEBFFF', 'off'],
            'every optimization' => ['0xFFFFFFFF', 'off'],
            'the tracing JIT' => ['0x7FFEBFFF', 'tracing'],
            'the function JIT' => ['0x7FFEBFFF', 'function'],
        ];
    }

    /** @param array<string, string> $ini */
    private static function cached(string $code, array $ini): ProcessResult
    {
        $ini += ['zend_extension' => 'opcache', 'opcache.enable_cli' => '1', 'opcache.preload_user' => 'root'];

        return self::php($code, $ini);
    }
}
