<?php

declare(strict_types=1);

namespace Tortoise\Tests\Sidecar;

use Tortoise\Tests\Support\PhpProcess;
use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** `tortoise serve` in the foreground, and PHP that is told where it listens. */
final class ServeTest extends TestCase
{
    private const CATCH = 'catch (Tortoise\Exception $e) { echo $e::class, ": ", $e->getMessage(); }';

    public function testItServesWithoutAWordFromPhpAboutPaths(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        // PHP's own path narrows: with none of its own, no name is looked for at all.
        self::assertSame('false', self::php(
            'echo json_encode(class_exists("Serve_Probe"));',
            ['tortoise.server' => $sidecar->address, 'tortoise.path' => ''],
        )->cleanOutput());
        $result = self::php('echo (new Serve_Probe())->pid(), " ", getmypid();', ['tortoise.server' => $sidecar->address]);
        self::assertMatchesRegularExpression('/^\d+ \d+$/', $result->cleanOutput());
    }

    public function testTheSidecarsRootsDecide(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        self::sandbox()->writeClass('Foreign.py', 'class Foreign: pass');
        $ini = ['tortoise.server' => $sidecar->address, 'tortoise.path' => self::sandbox()->classes];
        $message = self::php('try { new Foreign(); } ' . self::CATCH, $ini)->cleanOutput();
        self::assertStringContainsString(self::sandbox()->classes, $message);
        self::assertStringContainsString(__DIR__, $message);
        self::assertStringContainsString('tortoise.path', $message);

        $ini['tortoise.path'] .= \PATH_SEPARATOR . __DIR__;
        $code = 'var_dump(class_exists("Serve_Probe")); try { class_exists("Foreign"); } ' . self::CATCH;
        $output = self::php($code, $ini)->cleanOutput();
        self::assertStringStartsWith("bool(true)\nTortoise\\AccessException: there is no class file for Foreign", $output);
    }

    /** Roots that PHP adds later are no way around the sidecar's own. */
    public function testRootsThatPhpAddsLaterDoNotWidenThem(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        self::sandbox()->writeClass('Foreign.py', 'class Foreign: pass');
        $roots = var_export(self::sandbox()->classes, true);
        foreach (["ini_set('tortoise.path', {$roots});", "Tortoise\\register({$roots});"] as $widen) {
            $code = "\$probe = new Serve_Probe(); {$widen} try { var_dump(class_exists('Foreign')); } " . self::CATCH
                . 'echo is_int($probe->pid());';
            $ini = ['tortoise.server' => $sidecar->address, 'tortoise.path' => __DIR__];
            $output = self::php($code, $ini)->cleanOutput();
            self::assertStringNotContainsString('bool(true)', $output);
            self::assertStringEndsWith('1', $output, 'the session goes on');
        }
    }

    public function testPhpsPathNarrows(): void
    {
        self::sandbox()->writeClass('Here.py', 'class Here: pass');
        $sidecar = new Sidecar(self::sandbox(), path: self::sandbox()->classes . ':' . __DIR__);
        $code = 'var_dump(class_exists("Here"), class_exists("Serve_Probe"));';
        $ini = ['tortoise.server' => $sidecar->address];
        $narrowed = $ini + ['tortoise.path' => self::sandbox()->classes];
        self::assertSame("bool(true)\nbool(false)\n", self::php($code, $narrowed)->cleanOutput());
        self::assertSame("bool(true)\nbool(true)\n", self::php($code, $ini)->cleanOutput());
    }

    public function testWithoutASidecarTheErrorSaysWhatToDo(): void
    {
        $address = 'unix://' . self::sandbox()->path('nobody.sock');
        $output = self::php('try { new Serve_Probe(); } ' . self::CATCH, ['tortoise.server' => $address])->cleanOutput();
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $output);
        foreach ([$address, 'No such file', "tortoise serve --listen {$address}", 'tortoise.server=auto'] as $part) {
            self::assertStringContainsString($part, $output);
        }
    }

    public function testAStaleSocketIsReplacedAndALiveOneIsNot(): void
    {
        $first = new Sidecar(self::sandbox(), path: __DIR__);
        $second = self::sandbox()->run([Sidecar::binary(), 'serve', '--listen', $first->address, '--path', __DIR__])->wait();
        self::assertNotSame(0, $second->exitCode);
        self::assertStringContainsString('another process already listens on ' . $first->address, $second->errors);

        $first->signal(\SIGKILL);
        Processes::awaitEnd($first->pid());
        self::assertFileExists($first->socket());
        $ini = ['tortoise.server' => $first->address];
        $output = self::php('try { new Serve_Probe(); } ' . self::CATCH, $ini)->cleanOutput();
        self::assertStringContainsString('Connection refused', $output);

        $third = new Sidecar(self::sandbox(), path: __DIR__);
        self::assertSame('hello', self::php('echo (new Serve_Probe())->say("hello");', $ini)->cleanOutput());
        $third->signal(\SIGTERM);
        self::assertSame(0, $third->wait()->exitCode);
        self::assertFileDoesNotExist($third->socket());
    }

    public function testAFileInThePlaceOfTheSocketStays(): void
    {
        $file = self::sandbox()->write('serve.sock', 'mine');
        $result = self::sandbox()->run([Sidecar::binary(), 'serve', '--listen', "unix://{$file}", '--path', __DIR__])->wait();
        self::assertNotSame(0, $result->exitCode);
        self::assertStringContainsString($file, $result->errors);
        self::assertStringEqualsFile($file, 'mine');
    }

    /** @dataProvider wrongCommands */
    public function testItDoesNotStartWithSettingsThatMakeNoSense(string $expected, string ...$arguments): void
    {
        $result = self::sandbox()->run([Sidecar::binary(), 'serve', ...$arguments])->wait();
        self::assertNotSame(0, $result->exitCode);
        self::assertStringContainsString($expected, $result->errors);
    }

    /** @return list<list<string>> */
    public static function wrongCommands(): array
    {
        return [
            ['no address to listen on', '--path', '/tmp'],
            ['no class roots', '--listen', 'unix:///tmp/tortoise-test-none.sock'],
            ['/nowhere', '--path', '/nowhere', '--listen', 'unix:///tmp/tortoise-test-none.sock'],
            ['absolute', '--path', '/tmp', '--listen', 'unix://none.sock'],
            ['107', '--path', '/tmp', '--listen', 'unix:///' . str_repeat('x', 107)],
            ['/nowhere/python', '--path', '/tmp', '--listen', 'unix:///tmp/tortoise-test-none.sock', '--python', '/nowhere/python'],
        ];
    }

    public function testWhatPythonPrintsGoesToTheLogAndNeverIntoTheStream(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        $result = self::php('echo (new Serve_Probe())->say("well");', ['tortoise.server' => $sidecar->address]);
        self::assertSame('well', $result->cleanOutput());
        foreach (['fd 1', 'fd 2', 'child'] as $way) {
            $sidecar->awaitLine("/python: {$way}: well/");
        }
        self::assertMatchesRegularExpression('/python: print: well/', $sidecar->log());
        self::assertMatchesRegularExpression('/python: error: well/', $sidecar->log());
    }

    public function testBytesThatAreNoTextDoNoHarmToTheLog(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        self::assertSame('done', self::php('echo (new Serve_Probe())->binary();', ['tortoise.server' => $sidecar->address])->cleanOutput());
        self::assertStringContainsString('\u{0}\xff\u{1b}[2Jend of bytes', $sidecar->awaitLine('/end of bytes/'));
    }

    public function testAFloodOfOutputIsCutAndBlocksNobody(): void
    {
        $result = self::php('echo (new Serve_Probe())->flood(64), " ", Tortoise\status()["log"];');
        [$megabytes, $log] = explode(' ', $result->cleanOutput());
        self::assertSame('64', $megabytes);
        Processes::awaitText($log, 'lines suppressed');
        self::assertLessThan(8 << 20, filesize($log));
    }

    public function testProcessesThatUserCodeForksDoNotShareTheSocket(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        $code = '$p = new Serve_Probe(); echo json_encode([$p->fork(), $p->run_pool(), (int) $p->sockets_of_child(), $p->say("x")]);';
        $output = self::php($code, ['tortoise.server' => $sidecar->address])->cleanOutput();
        self::assertSame('[[7,1],[1,2,3],0,"x"]', $output);
        $sidecar->awaitLine('/a process that a method forked came back from it/');
    }

    public function testProcessesThatUserCodeLeavesBehindEndWithTheSession(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        $php = self::startPhp(
            '$p = new Serve_Probe(); echo $p->pid(), " ", $p->leave_behind(), "\n"; fgets(STDIN);',
            ['tortoise.server' => $sidecar->address],
        );
        [$session, $left] = array_map('intval', explode(' ', $php->readLine()));
        self::assertTrue(Processes::runs($left));
        $php->writeLine();
        $php->wait()->cleanOutput();
        Processes::awaitEnd($session, $left);
    }

    public function testWhenTheSupervisorIsKilledItsSessionsLeaveAndPhpIsTold(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        $code = '$p = new Serve_Probe(); echo $p->pid(), "\n"; fgets(STDIN);'
            . 'for ($i = 0; $i < 2; $i++) { try { $p->pid(); } catch (Tortoise\Exception $e) { echo $e::class, "\n"; } }'
            . 'try { new Serve_Probe(); } catch (Tortoise\Exception $e) { echo $e::class, "\n"; } fgets(STDIN);'
            . 'echo is_int((new Serve_Probe())->pid()), "\n";';
        $php = self::startPhp($code, ['tortoise.server' => $sidecar->address]);
        $session = (int) $php->readLine();
        $zygote = Processes::parentOf($session);
        $sidecar->signal(\SIGKILL);
        Processes::awaitEnd($sidecar->pid(), $zygote, $session);
        $php->writeLine();
        self::assertSame('Tortoise\ConnectionException', $php->readLine());
        self::assertSame('Tortoise\StaleObjectException', $php->readLine());
        self::assertSame('Tortoise\ConnectionException', $php->readLine());
        new Sidecar(self::sandbox(), path: __DIR__);
        $php->writeLine();
        self::assertSame('1', $php->readLine());
        $php->wait()->cleanOutput();
    }

    public function testAnAutostartedSidecarThatIsKilledIsReplaced(): void
    {
        $code = '$p = new Serve_Probe(); echo $p->pid(), "\n"; fgets(STDIN);'
            . 'try { $p->pid(); } catch (Tortoise\ConnectionException $e) { echo $e->getMessage(), "\n"; }'
            . 'echo (new Serve_Probe())->pid(), "\n"; fgets(STDIN);';
        $php = self::startPhp($code);
        $session = (int) $php->readLine();
        $supervisor = Processes::parentOf(Processes::parentOf($session));
        Processes::kill($supervisor);
        Processes::awaitEnd($session);
        $php->writeLine();
        $message = $php->readLine();
        self::assertStringContainsString("process {$session}", $message);
        self::assertStringContainsString('.log', $message);
        self::assertNotSame($supervisor, Processes::parentOf(Processes::parentOf((int) $php->readLine())));
        $php->writeLine();
        $php->wait()->cleanOutput();
    }

    public function testWhenTheWorkerIsKilledAnotherOneServes(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        $php = self::startPhp(
            'echo (new Serve_Probe())->pid(), "\n"; fgets(STDIN); try { new Serve_Probe(); } '
                . self::CATCH . ' echo "\n"; echo (new Serve_Probe())->pid();',
            ['tortoise.server' => $sidecar->address],
        );
        $session = (int) $php->readLine();
        $zygote = Processes::parentOf($session);
        Processes::signal($zygote, \SIGKILL);
        $sidecar->awaitLine("/worker {$zygote} died .*SIGKILL/");
        Processes::awaitEnd($session);
        $php->writeLine();
        self::assertStringStartsWith('Tortoise\ConnectionException', $php->readLine());
        self::assertGreaterThan(0, (int) $php->wait()->cleanOutput());
    }

    public function testSigtermEndsSessionsAndLeavesNothing(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        $php = self::startPhp('$p = new Serve_Probe(); echo $p->pid(), "\n"; fgets(STDIN);', ['tortoise.server' => $sidecar->address]);
        $session = (int) $php->readLine();
        $sidecar->signal(\SIGTERM);
        $result = $sidecar->wait();
        self::assertSame(0, $result->exitCode);
        Processes::awaitEnd($session);
        self::assertFileDoesNotExist($sidecar->socket());
        $php->writeLine();
        $php->wait()->cleanOutput();
    }

    public function testBeyondMaxSessionsClientsWaitAndAreServedWhenOneLeaves(): void
    {
        $sidecar = new Sidecar(self::sandbox(), ['--max-sessions', '1'], __DIR__);
        $ini = ['tortoise.server' => $sidecar->address];
        $first = self::startPhp('echo (new Serve_Probe())->say("first"), "\n"; fgets(STDIN);', $ini);
        $first->readLine();
        $second = self::startPhp('echo (new Serve_Probe())->say("second"), "\n";', $ini);
        $sidecar->awaitLine('/all 1 sessions are taken/');
        $first->writeLine();
        $first->wait()->cleanOutput();
        self::assertSame("second\n", $second->wait()->cleanOutput());
    }

    public function testSessionsStartInARootFolderWithAnOrdinaryMask(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        $output = self::php('echo json_encode((new Serve_Probe())->environment());', ['tortoise.server' => $sidecar->address])->cleanOutput();
        self::assertSame(['folder' => '/', 'mask' => '0o' . decoct(umask())], json_decode($output, true));
    }

    public function testRequestsOfManyClientsDoNotMix(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        $code = '$p = new Serve_Probe(); for ($i = 0; $i < 200; $i++) { $p->name = getmypid() . "-$i";'
            . 'if ($p->name !== getmypid() . "-$i") { exit(1); } } echo "good";';
        $processes = array_map(
            static fn(): PhpProcess => self::startPhp($code, ['tortoise.server' => $sidecar->address]),
            range(1, 8),
        );
        foreach ($processes as $process) {
            self::assertSame('good', $process->wait()->cleanOutput());
        }
    }
}
