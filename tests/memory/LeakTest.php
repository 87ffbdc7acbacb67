<?php

declare(strict_types=1);

namespace Tortoise\Tests\Memory;

use Tortoise\Tests\Support\TestCase;

/**
 * Ten thousand objects made and dropped leave both processes as they were.
 *
 * After a warm-up of the same kind the memory of both processes is compared before and after: a leak of even a few dozen
 * bytes a time is over the bound.
 */
final class LeakTest extends TestCase
{
    private const TIMES = 5_000;

    /** Far below what 5,000 leaked objects of any kind would take, and above what allocators move on their own. */
    private const BOUND_BYTES = 100_000;

    /** @return iterable<string, array{0: string, 1?: int}> */
    public static function uses(): iterable
    {
        yield 'objects' => ['new Fleeting("name", 1, [2], k: 3);'];
        yield 'objects that methods give' => ['$keeper->another("x")->name;'];
        yield 'the same object again and again' => ['$keeper->echo($keeper);'];
        yield 'objects in lists' => ['$keeper->several(3);'];
        yield 'attributes' => ['$keeper->held = ["a" => [$i, "text"]]; $keeper->held; isset($keeper->held, $keeper->none); unset($keeper->held);'];
        yield 'attributes of changing names' => ['$keeper->{"n$i"} = 1; unset($keeper->{"n$i"});', 5000];
        yield 'strings and arrays' => ['$keeper->echo(["text" => str_repeat("x", $i % 3000), "list" => range(0, $i % 50)]);'];
        yield 'lists of numbers' => ['$keeper->echo(range(0, 20 + $i % 50)); $keeper->echo(array_fill(0, 20, $i / 7));'];
        yield 'rows' => ['$keeper->echo([["id" => $i, "name" => "n$i", "key$i" => [1]], ["id" => 1, "name" => "x", "key$i" => $i]]);'];
        yield 'bulk' => ['$keeper->echo(["text" => str_repeat("x", 20_000 + $i), "bytes" => new Tortoise\Bytes(str_repeat("y", 70_000))]);'];
        yield 'loops' => ['foreach ($keeper->range(3) as $item) { } foreach ($keeper->range(50) as $item) { break; }'];
        yield 'loops over objects' => ['foreach ($keeper->generated(3) as $item) { $item->name; } unset($item);'];
        yield 'loops that fail' => ['try { foreach ($keeper->generated(-1) as $item) { } } catch (Tortoise\Python\ValueError $e) { } unset($e);'];
        yield 'elements' => ['$keeper->range(20)->toArray();'];
        yield 'exceptions' => ['try { $keeper->fail(); } catch (Tortoise\Python\KeyError $e) { $e->getPythonException()->args; $e->getPythonTraceback(); } unset($e);'];
        yield 'errors of ours' => ['try { $keeper->echo([STDIN]); } catch (Tortoise\ConversionException $e) {} try { $keeper->echo(); } catch (ArgumentCountError $e) {} unset($e);'];
        yield 'dynamic methods' => ['$keeper->dynamic($i, k: $i);'];
        yield 'functions as values' => ['$f = $keeper->another(...); $f()->name; $g = $keeper->dynamicAttribute; $g(1); unset($f, $g);'];
        yield 'children in PHP' => ['new FleetingOfPhp("x");'];
        yield 'equal and unequal' => ['$keeper == new Fleeting(); (string) var_export($keeper, true);'];
    }

    /** @dataProvider uses */
    public function testTheMemoryOfBothProcessesStaysLevel(string $use, int $keptNames = 0): void
    {
        $script = <<<'PHP'
            class FleetingOfPhp extends Fleeting { public $own = [1]; }
            function bytes(int|string $process): int
            {
                preg_match('/^VmRSS:\s+(\d+) kB$/m', file_get_contents("/proc/$process/status"), $found);
                return 1024 * (int) $found[1];
            }
            $keeper = new Fleeting('keeper');
            $times = static function (int $times) use ($keeper): array {
                for ($i = 0; $i < $times; $i++) {
                    %s
                }
                return [
                    'alive' => Fleeting::alive(),
                    'blocks' => [Fleeting::died(), Fleeting::blocks()][1],
                    'proxies' => Tortoise\status()['objects'],
                    'php' => bytes('self'),
                    'python' => bytes(Tortoise\status()['session']),
                    'zend' => memory_get_usage(),
                ];
            };
            $times(%3$d);
            return [$times(%2$d), $times(%2$d)];
            PHP;
        // Python's table of names doubles now and then; it has done so before it is looked at.
        $warm = $keptNames > 0 ? 20_000 : 2000;
        [$before, $after] = self::evaluate(sprintf($script, $use, self::TIMES, $warm));

        self::assertSame(1, $after['alive'], 'the session has let go of all objects but the keeper');
        self::assertSame(1, $after['proxies']);
        self::assertLessThan($before['blocks'] + 100 + $keptNames, $after['blocks'], 'blocks of memory in Python');
        self::assertLessThan($before['zend'] + 2000, $after['zend'], 'memory that PHP manages');
        self::assertLessThan($before['php'] + self::BOUND_BYTES, $after['php'], 'memory of the PHP process');
        self::assertLessThan($before['python'] + self::BOUND_BYTES, $after['python'], 'memory of the session');
    }
}
