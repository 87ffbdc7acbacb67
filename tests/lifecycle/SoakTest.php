<?php

declare(strict_types=1);

namespace Tortoise\Tests\Lifecycle;

use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\TestCase;

/** Many requests in one process: neither descriptors nor memory grow, here or there. */
final class SoakTest extends TestCase
{
    public function testAThousandRequestsLeaveNothingBehind(): void
    {
        $server = new HttpServer(self::sandbox(), <<<'PHP'
            $list = [];
            for ($i = 0; $i < 20; $i++) {
                $list[] = $o = new Life_Thing(str_repeat('name', $i));
                $o->me = $o;
                $o->list = [1, ['a' => $o], 2.5, null];
                $o->list;
                $o->dynamic = 'x';
                isset($o->missing);
                $f = $o->note(...);
                $f('line');
            }
            try {
                $o->missing();
            } catch (Error) {
            }
            try {
                $o->note();
            } catch (Error) {
            }
            try {
                (new Life_Raiser())->fail($o);
            } catch (Life_Problem $e) {
                $e->getPythonException();
            }
            class Sub extends Life_Thing { }
            $GLOBALS['kept'] = new Sub('sub');
            echo $o->pid();
            PHP, ['tortoise.path' => self::sandbox()->classes . \PATH_SEPARATOR . __DIR__]);
        self::sandbox()->writeClass('Life/Problem.py', "class Life_Problem(Exception):\n    pass\n");
        self::sandbox()->writeClass('Life/Raiser.py', "from Life.Problem import Life_Problem\nclass Life_Raiser:\n"
            . "    def fail(self, o):\n        try:\n            {}['x']\n        except KeyError as error:\n            raise Life_Problem('failed') from error\n");

        $session = (int) $server->get();
        $before = null;
        for ($request = 1; $request <= 1000; $request++) {
            self::assertSame((string) $session, $server->get());
            // Until then, what is made once is made.
            if ($request === 200) {
                $before = self::levels($server->pid(), $session);
            }
        }
        $after = self::levels($server->pid(), $session);
        // The connection of the last request may be open yet.
        self::assertEqualsWithDelta($before['descriptors'], $after['descriptors'], 1);
        foreach (['php', 'python'] as $side) {
            // 800 requests that lose 1 KiB each would be seen.
            self::assertLessThan($before[$side] + 600, $after[$side], "KiB of {$side}: {$before[$side]}, then {$after[$side]}");
        }
    }

    /** Ten thousand objects made and dropped in one request. */
    public function testTenThousandObjectsLeaveNothingBehind(): void
    {
        $php = self::startPhp(<<<'PHP'
            $round = function (int $objects): void {
                for ($i = 0; $i < $objects; $i++) {
                    $o = new Life_Thing("thing {$i}");
                    $o->other = new Life_Thing('other');
                    $o->other->name;
                }
            };
            $round(2000);
            $probe = new Life_Thing('probe');
            echo $probe->pid(), "\n", Life_Thing::living(), ' ', Tortoise\status()['objects'], "\n";
            fgets(STDIN);
            $round(10000);
            echo Life_Thing::living(), ' ', Tortoise\status()['objects'], "\n";
            fgets(STDIN);
            PHP);
        $session = (int) $php->readLine();
        $counts = $php->readLine();
        self::assertSame('1 1', $counts);
        $before = self::levels($php->pid, $session);
        $php->writeLine();
        self::assertSame($counts, $php->readLine());
        $after = self::levels($php->pid, $session);
        self::assertSame($before['descriptors'], $after['descriptors']);
        foreach (['php', 'python'] as $side) {
            self::assertLessThan($before[$side] + 300, $after[$side], "KiB of {$side}: {$before[$side]}, then {$after[$side]}");
        }
        $php->writeLine();
        $php->wait()->cleanOutput();
    }

    /** @return array{descriptors: array{int, int}, php: int, python: int} */
    private static function levels(int $php, int $python): array
    {
        return [
            'descriptors' => [Processes::descriptors($php), Processes::descriptors($python)],
            'php' => Processes::privateKilobytes($php),
            'python' => Processes::privateKilobytes($python),
        ];
    }
}
