<?php

declare(strict_types=1);

namespace Tortoise\Tests\Threads;

use Tortoise\Tests\Support\PhpProcess;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** `isolation = "thread"`: PHP processes whose sessions share a Python process. */
final class ThreadsTest extends TestCase
{
    /** Evaluates each line of its input, and says what it gave. */
    private const SHELL = Script::ATTEMPT . <<<'PHP'
        function who(): string
        {
            global $argv;
            return 'PHP ' . getmypid();
        }
        $o = new Threads_Hall();
        echo getmypid(), "\n";
        while (($line = fgets(STDIN)) !== false) {
            attempt(fn() => eval("global \$o; return {$line};"));
        }
        PHP;

    private Sidecar $sidecar;

    public function testModulesAreSharedAndObjectsAreNot(): void
    {
        [$one, $other] = $this->shells(2);
        self::assertSame(self::ask($one, '$o->process()'), self::ask($other, '$o->process()'));
        self::assertSame('value: 1', self::ask($one, '$o->count()'));
        self::assertSame('value: 2', self::ask($other, '$o->count()'));
        self::assertSame('value: 2', self::ask($one, 'Tortoise\type(Threads_Hall::class)->counted'));
        self::ask($one, '$o->mine = 1');
        self::assertSame('value: false', self::ask($other, 'isset($o->mine)'));
    }

    public function testEachCallsItsOwnPhp(): void
    {
        foreach ($this->shells(3) as $shell) {
            $name = 'PHP ' . $shell->pid;
            self::assertSame("value: \"{$name}\"", self::ask($shell, '$o->who()'));
            self::assertSame("value: \"{$name}\"", self::ask($shell, '$o->who_async()'));
            self::assertSame('value: ' . json_encode(array_fill(0, 4, $name)), self::ask($shell, '$o->who_by_pool()'));
            self::assertSame("value: \"{$name}\"", self::ask($shell, '$o->through(fn($value) => who(), 1)'));
        }
    }

    public function testWhatLivesInAnotherPhpIsRefused(): void
    {
        [$one, $other] = $this->shells(2);
        self::ask($one, '$o->keep(who(...))');
        self::assertStringContainsString('lives in another PHP process', self::ask($other, '$o->call_kept()'));
        self::assertStringContainsString('another PHP process', self::ask($other, 'count($o->kept)'));
        self::assertSame("value: \"PHP {$one->pid}\"", self::ask($one, '$o->call_kept()'));
        $one->wait();
        // How soon its session has seen that it is gone is not said.
        self::assertMatchesRegularExpression('/RequestOver|another PHP process/', self::ask($other, '$o->call_kept()'));
    }

    public function testExceptionsAndExitAreOfTheCall(): void
    {
        [$one, $other] = $this->shells(2);
        self::assertStringContainsString('of this session', self::ask($one, '$o->fail()'));
        self::assertStringStartsWith('Tortoise\Python\SystemExit', self::ask($one, '$o->leave()'));
        self::assertSame('value: 1', self::ask($one, '$o->echo(1)'));
        self::assertSame('value: 2', self::ask($other, '$o->echo(2)'));
    }

    /** It cannot be interrupted, so its process ends, and the others go on in a new one. */
    public function testACallThatDoesNotComeBackTakesItsProcessDown(): void
    {
        [$one, $other] = $this->shells(2);
        $process = self::process($other);
        self::assertStringStartsWith(
            'Tortoise\TimeoutException',
            self::ask($one, 'Tortoise\timeout(0.2, fn() => $o->hang(3600))'),
        );
        Processes::awaitEnd($process);
        self::assertStringContainsString('and all sessions in it', $this->sidecar->awaitLine('/still goes on/'));
        self::assertStringContainsString('value: ', self::ask($one, '(new Threads_Hall())->process()'));
        // What the other one has is gone with the process; what it makes anew is not.
        self::assertStringStartsWith('Tortoise\\', self::ask($other, '$o->echo(1)'));
        self::assertNotSame($process, self::process($other));
    }

    public function testACrashIsThatOfAllAndNoneStaysDown(): void
    {
        [$one, $other] = $this->shells(2);
        $process = self::process($one);
        self::assertStringStartsWith('Tortoise\ConnectionException', self::ask($one, '$o->crash()'));
        Processes::awaitEnd($process);
        self::assertStringStartsWith('Tortoise\\', self::ask($other, '$o->echo(1)'));
        self::assertNotSame($process, self::process($other));
        self::assertSame(self::process($one), self::process($other));
    }

    public function testAReloadIsSeenByNobodyButNewCode(): void
    {
        [$one, $other] = $this->shells(2);
        $before = self::process($one);
        $this->sidecar->ask('reload');
        // In the middle of a request nothing changes.
        self::assertSame($before, self::process($one));
        self::assertSame($before, self::process($other));
        $one->wait();
        $other->wait();
        Processes::awaitEnd($before);
    }

    public function testManyAtOnceGetTheirOwnValues(): void
    {
        $this->serve();
        $code = <<<'PHP'
            $o = new Threads_Hall();
            mt_srand(getmypid());
            function value(int $depth = 0): mixed
            {
                return match (mt_rand(0, $depth < 3 ? 6 : 4)) {
                    0 => mt_rand(),
                    1 => mt_rand() / 7,
                    2 => str_repeat(chr(mt_rand(32, 126)), mt_rand(0, 3000)),
                    3 => (bool) mt_rand(0, 1),
                    4 => array_map(fn() => mt_rand() / 3, range(1, mt_rand(1, 400))),
                    5 => array_map(fn() => value($depth + 1), range(1, mt_rand(1, 5))),
                    6 => ['a' => value($depth + 1), 'b' => null, 'c' => value($depth + 1)],
                };
            }
            for ($i = 0; $i < 300; $i++) {
                $value = value();
                $o->echo($value) === $value || exit("echo {$i}");
                $o->through(fn($inner) => $inner, $value) === $value || exit("callback {$i}");
                $made = new Threads_Hall();
                $made->held = $value;
                $made->held === $value || exit("attribute {$i}");
            }
            echo 'right';
            PHP;
        $processes = array_map(fn(): PhpProcess => $this->start($code), range(1, 8));
        foreach ($processes as $process) {
            self::assertSame('right', $process->wait()->cleanOutput());
        }
    }

    /** Its session ends, and no other. */
    public function testAPhpThatIsKilledTakesNobodyAlong(): void
    {
        $shells = $this->shells(3);
        $process = self::process($shells[0]);
        $shells[0]->kill();
        $shells[1]->wait();
        self::assertSame($process, self::process($shells[2]));
        self::assertSame("value: \"PHP {$shells[2]->pid}\"", self::ask($shells[2], '$o->who()'));
    }

    private function serve(): void
    {
        $this->sidecar = new Sidecar(
            self::sandbox(),
            ['--isolation', 'thread', '--workers', '1', '--grace', '1'],
            __DIR__,
        );
    }

    private function start(string $code): PhpProcess
    {
        return self::startPhp($code, ['tortoise.server' => $this->sidecar->address, 'tortoise.path' => __DIR__]);
    }

    /** @return list<PhpProcess> so many that do what they are asked */
    private function shells(int $count): array
    {
        $this->serve();
        $shells = array_map(fn(): PhpProcess => $this->start(self::SHELL), range(1, $count));
        foreach ($shells as $shell) {
            $shell->readLine();
        }

        return $shells;
    }

    private static function ask(PhpProcess $shell, string $expression): string
    {
        $shell->writeLine($expression);

        return $shell->readLine();
    }

    private static function process(PhpProcess $shell): int
    {
        $answer = self::ask($shell, '(new Threads_Hall())->process()');
        self::assertMatchesRegularExpression('/^value: \d+$/', $answer);

        return (int) substr($answer, \strlen('value: '));
    }
}
