<?php

declare(strict_types=1);

namespace Tortoise\Tests\Faults;

use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\TestCase;

/** A session that dies is one ConnectionException; its objects are stale; the next `new` and the next request work. */
final class LostSessionTest extends TestCase
{
    public function testKilledBeforeACall(): void
    {
        $php = self::startPhp(Script::ATTEMPT . <<<'PHP'

            $object = new Fault_Process();
            $other = new Fault_Process();
            echo $object->pid(), "\n";
            fgets(STDIN);
            attempt(fn() => $object->echo(1));
            attempt(fn() => $object->echo(2));
            attempt(fn() => $object->value);
            attempt(fn() => $other->echo(3));
            $again = new Fault_Process();
            attempt(fn() => $again->echo(4));
            attempt(fn() => $again->echo($object));
            attempt(fn() => isset($object->value));
            attempt(function () use ($object) { $object->value = 1; });
            unset($object, $other);
            attempt(fn() => $again->echo(5));
            PHP);
        $session = (int) $php->readLine();
        Processes::kill($session);
        $php->writeLine();
        $lines = self::lines($php->wait()->cleanOutput());
        self::assertStringStartsWith("Tortoise\\ConnectionException: the Python session (process {$session}) is lost", $lines[1]);
        self::assertStringContainsString('.log', $lines[1]);
        foreach ([2, 3, 4, 6, 7, 8] as $stale) {
            self::assertStringStartsWith('Tortoise\StaleObjectException: ', $lines[$stale]);
        }
        self::assertStringContainsString('args[0]', $lines[6]);
        self::assertSame('value: 4', $lines[5]);
        self::assertSame('value: 5', $lines[9]);
    }

    public function testKilledInACall(): void
    {
        $fifo = self::sandbox()->path('fifo');
        posix_mkfifo($fifo, 0o600);
        posix_mkfifo("{$fifo}.begun", 0o600);
        $php = self::startPhp(Script::ATTEMPT . '$o = new Fault_Process(); echo $o->pid(), "\n";'
            . 'attempt(fn() => $o->announce_and_wait(' . var_export($fifo, true) . '));'
            . 'attempt(fn() => $o->pid()); attempt(fn() => (new Fault_Process())->echo("again"));');
        $session = (int) $php->readLine();
        self::assertSame('begun', file_get_contents("{$fifo}.begun"));
        Processes::kill($session);
        $lines = self::lines($php->wait()->cleanOutput());
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $lines[1]);
        self::assertStringContainsString('The call may have run', $lines[1]);
        self::assertStringStartsWith('Tortoise\StaleObjectException: ', $lines[2]);
        self::assertSame('value: "again"', $lines[3]);
    }

    public function testKilledAfterACallAndBeforeTheNextRequest(): void
    {
        $php = self::startPhp('$o = new Fault_Process(); echo $o->pid(), "\n"; fgets(STDIN); echo "end";');
        Processes::kill((int) $php->readLine());
        $php->writeLine();
        self::assertStringEndsWith("\nend", $php->wait()->cleanOutput());
    }

    /** A new class may be looked up in a new session, because nothing of the old one is in the question. */
    public function testKilledBeforeAnAutoloadNobodyNotices(): void
    {
        $php = self::startPhp(
            '$o = new Fault_Process(); echo $o->pid(), "\n"; fgets(STDIN); echo (new Other())->x;',
            classes: ['Other.py' => "class Other:\n    x = 8"],
        );
        Processes::kill((int) $php->readLine());
        $php->writeLine();
        self::assertStringEndsWith("\n8", $php->wait()->cleanOutput());
    }

    /** @dataProvider deaths */
    public function testASessionThatEndsItselfInACall(string $death, string $reason): void
    {
        $neighbour = self::startPhp(Script::ATTEMPT . '$o = new Fault_Process(); echo "ready\n"; fgets(STDIN); attempt(fn() => $o->value);');
        $neighbour->readLine();
        $code = Script::ATTEMPT . "\$o = new Fault_Process(); attempt(fn() => \$o->{$death}()); attempt(fn() => \$o->echo(1));"
            . 'attempt(fn() => (new Fault_Process())->echo("again")); echo Tortoise\status()["log"];';
        $lines = self::lines(self::php($code)->cleanOutput());
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $lines[0]);
        self::assertStringStartsWith('Tortoise\StaleObjectException: ', $lines[1]);
        self::assertSame('value: "again"', $lines[2]);
        Processes::awaitText($lines[3], $reason);
        $neighbour->writeLine();
        self::assertSame("ready\nvalue: 1\n", $neighbour->wait()->cleanOutput());
    }

    /** The answer goes through shared memory, which is no descriptor; without its sockets the session cannot go on. */
    public function testASessionThatClosesItsDescriptorsAnswersAndEnds(): void
    {
        $php = self::startPhp(Script::ATTEMPT . '$o = new Fault_Process(); echo Tortoise\status()["log"], "\n";'
            . 'attempt(fn() => $o->close_descriptors()); fgets(STDIN); attempt(fn() => $o->echo(1));'
            . 'attempt(fn() => (new Fault_Process())->echo("again"));');
        // The session's loop and its watcher both see it: whichever is first.
        Processes::awaitText(rtrim($php->readLine()), 'of PHP process');
        $php->writeLine();
        $lines = self::lines($php->wait()->cleanOutput());
        self::assertSame('value: "closed"', $lines[1]);
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $lines[2]);
        self::assertSame('value: "again"', $lines[3]);
    }

    /** @return list<array{string, string}> */
    public static function deaths(): array
    {
        return [
            ['exit', 'exit status 7'],
            ['abort', 'SIGABRT'],
            ['segfault', 'SIGSEGV'],
            ['kill', 'SIGKILL'],
        ];
    }

    /** faulthandler tells where it was. */
    public function testTheLogShowsWhereASegfaultWas(): void
    {
        $code = 'try { (new Fault_Process())->segfault(); } catch (Tortoise\ConnectionException) {} new Fault_Process(); echo Tortoise\status()["log"];';
        $log = self::php($code)->cleanOutput();
        Processes::awaitText($log, 'in segfault');
        self::assertStringContainsString('Fatal Python error: Segmentation fault', (string) file_get_contents($log));
    }

    public function testAConstructorThatEndsTheSession(): void
    {
        $code = Script::ATTEMPT . 'attempt(fn() => new Fault_Process(leave: true)); attempt(fn() => (new Fault_Process())->echo(1));'
            . 'attempt(fn() => new Fault_Process(leave: true));';
        $lines = self::lines(self::php($code)->cleanOutput());
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $lines[0]);
        self::assertSame('value: 1', $lines[1]);
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $lines[2]);
    }

    public function testAClassFileThatEndsTheSessionAtItsImport(): void
    {
        $code = Script::ATTEMPT . 'attempt(fn() => new Deadly()); attempt(fn() => new Deadly()); attempt(fn() => (new Fault_Process())->echo(1));';
        $lines = self::lines(self::php($code, classes: ['Deadly.py' => "import os\nos._exit(9)\nclass Deadly: pass\n"])->cleanOutput());
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $lines[0]);
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $lines[1]);
        self::assertSame('value: 1', $lines[2]);
    }

    /** What may have run is not run again, where a session that has gone would be replaced unseen. */
    public function testWhatEndedTheSessionRanOnce(): void
    {
        $file = self::sandbox()->write('ran', '');
        $note = "import os\nwith open(" . var_export($file, true) . ", 'a') as file:\n    file.write('x')\nos._exit(9)\n";
        $code = Script::ATTEMPT . 'new Fault_Process(); attempt(fn() => new Deadly());'
            . 'new Fault_Process(); attempt(fn() => Tortoise\call("deadly", "f")); attempt(fn() => (new Fault_Process())->echo(1));';
        $output = self::php($code, classes: ['Deadly.py' => $note, 'deadly.py' => $note])->cleanOutput();
        $lines = self::lines($output);
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $lines[0]);
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $lines[1]);
        self::assertSame('value: 1', $lines[2]);
        self::assertSame('xx', file_get_contents($file));
    }

    /** The session dies of a release, which has no answer: the next call hears of it. */
    public function testASessionThatDiesOfARelease(): void
    {
        $code = Script::ATTEMPT . '$o = new Fault_Process(); $fatal = new Fault_Fatal(); unset($fatal);'
            . 'attempt(fn() => $o->echo(1)); attempt(fn() => $o->echo(2)); attempt(fn() => (new Fault_Process())->echo(3));';
        $lines = self::lines(self::php($code)->cleanOutput());
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $lines[0]);
        self::assertStringStartsWith('Tortoise\StaleObjectException: ', $lines[1]);
        self::assertSame('value: 3', $lines[2]);
    }

    public function testSysExitAndKeyboardInterruptAreExceptionsAndTheSessionLives(): void
    {
        $code = <<<'PHP'
            $o = new Fault_Process();
            $pid = $o->pid();
            foreach (['system_exit', 'interrupt'] as $method) {
                try { $o->$method(); } catch (Tortoise\PythonException $e) { echo $e->getPythonClass(), ": ", $e->getMessage(), "\n"; }
            }
            var_dump($o->pid() === $pid);
            PHP;
        self::assertSame("SystemExit: 4\nKeyboardInterrupt: \nbool(true)\n", self::php($code)->cleanOutput());
    }

    public function testKilledManyTimesInOneRequest(): void
    {
        $code = 'for ($i = 0; $i < 20; $i++) { $o = new Fault_Process(); try { $o->kill(); } catch (Tortoise\ConnectionException) { echo "."; } }'
            . 'echo count(scandir("/proc/self/fd"));';
        [, $descriptors] = explode(str_repeat('.', 20), self::php($code)->cleanOutput());
        self::assertLessThan(12, (int) $descriptors, 'sockets of dead sessions are closed');
    }

    public function testKilledWhileALargeAnswerIsOnTheWay(): void
    {
        $php = self::startPhp(Script::ATTEMPT . '$o = new Fault_Process(); echo $o->pid(), "\n"; attempt(fn() => strlen($o->large(400)));'
            . 'attempt(fn() => $o->pid()); attempt(fn() => strlen((new Fault_Process())->large(1)));');
        $session = (int) $php->readLine();
        Processes::kill($session);
        $lines = self::lines($php->wait()->cleanOutput());
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $lines[1]);
        self::assertSame('value: 1048576', $lines[3]);
    }

    public function testAnObjectOfAnotherSessionIsStaleAlsoAsAnArgumentAndInside(): void
    {
        $code = Script::ATTEMPT . '$old = new Fault_Process(); try { $old->kill(); } catch (Tortoise\ConnectionException) {}'
            . '$o = new Fault_Process(); attempt(fn() => $o->echo(["deep" => [1, $old]])); attempt(fn() => $o->echo("fine"));';
        $lines = self::lines(self::php($code)->cleanOutput());
        self::assertStringStartsWith('Tortoise\StaleObjectException: args[0]["deep"][1]', $lines[0]);
        self::assertSame('value: "fine"', $lines[1]);
    }

    /** Static methods, the class handle and constants name a class, which the new session has too. */
    public function testClassesAreIdentifiedAnewInTheNewSession(): void
    {
        $classes = ['Tool.py' => "class Tool:\n    LIMIT = 3\n    count = 0\n    @classmethod\n    def bump(cls):\n        cls.count += 1\n        return cls.count\n    @staticmethod\n    def die():\n        import os; os._exit(1)\n"];
        $code = Script::ATTEMPT . '$type = Tortoise\type("Tool"); attempt(fn() => Tool::bump()); attempt(fn() => Tool::bump());'
            . 'attempt(fn() => Tool::die()); attempt(fn() => Tool::bump()); attempt(fn() => Tool::LIMIT);'
            . 'attempt(fn() => $type->count); attempt(fn() => Tortoise\type("Tool")->count); attempt(fn() => (new Tool())->bump());'
            . 'attempt(fn() => get_class(new Tool()));';
        $lines = self::lines(self::php($code, classes: $classes)->cleanOutput());
        self::assertSame(['value: 1', 'value: 2'], \array_slice($lines, 0, 2));
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $lines[2]);
        self::assertSame(['value: 1', 'value: 3'], \array_slice($lines, 3, 2));
        self::assertStringStartsWith('Tortoise\StaleObjectException: ', $lines[5]);
        self::assertSame(['value: 1', 'value: 2', 'value: "Tool"'], \array_slice($lines, 6, 3));
    }

    /** PHP has declared the old class: objects of the new one are not that class, and this is said. */
    public function testAClassThatWasEditedMeanwhileIsSaidToBeAnotherOne(): void
    {
        $file = self::sandbox()->writeClass('Edited.py', "class Edited:\n    def old(self): return 'old'\n");
        $php = self::startPhp(Script::ATTEMPT . '$o = new Edited(); attempt(fn() => $o->old()); echo (new Fault_Process())->pid(), "\n"; fgets(STDIN);'
            . 'attempt(fn() => $o->old()); attempt(fn() => new Edited()); attempt(fn() => (new Fault_Process())->echo(1));');
        $php->readLine();
        $session = (int) $php->readLine();
        file_put_contents($file, "class Edited:\n    def new(self): return 'new'\n");
        Processes::kill($session);
        $php->writeLine();
        $lines = self::lines($php->wait()->cleanOutput());
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $lines[2]);
        self::assertStringStartsWith('Tortoise\StaleObjectException: ', $lines[3]);
        self::assertStringContainsString('Edited', $lines[3]);
        self::assertSame('value: 1', $lines[4]);
    }

    /** @return list<string> */
    private static function lines(string $output): array
    {
        return explode("\n", $output);
    }
}
