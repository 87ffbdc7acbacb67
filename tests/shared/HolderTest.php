<?php

declare(strict_types=1);

namespace Tortoise\Tests\Shared;

use Tortoise\Tests\Support\Processes;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** The process of the shared objects: callers that leave, its own end, the sidecar's reload and end. */
final class HolderTest extends TestCase
{
    private const MODEL = '$m = Tortoise\shared("model", "Big_Model", 1.5);';

    public function testACallWhoseTimeIsOverIsInterrupted(): void
    {
        $note = self::sandbox()->write('note', '');
        $output = self::php(Script::ATTEMPT . self::MODEL . <<<PHP
            \$before = \$m->process();
            attempt(fn() => Tortoise\\timeout(0.3, fn() => \$m->wait('{$note}')));
            // The call of the next one waits till that has ended.
            \$m = Tortoise\\shared('model', 'Big_Model');
            echo json_encode([\$m->seen, \$m->add(), \$m->process() === \$before]);
            PHP)->cleanOutput();

        self::assertStringStartsWith('Tortoise\TimeoutException: ', $output);
        self::assertStringEndsWith('[["interrupted"],1,true]', $output);
    }

    public function testThreadsOfOneProcessShareThemToo(): void
    {
        $sidecar = new Sidecar(self::sandbox(), ['--isolation', 'thread', '--workers', '1', '--grace', '20'], __DIR__);
        $ini = ['tortoise.server' => $sidecar->address];
        $note = self::sandbox()->write('note', '');
        // Its thread waits for the shared object in a way that no exception ends.
        $waiting = self::startPhp(Script::ATTEMPT . self::MODEL . <<<PHP
            attempt(fn() => Tortoise\\timeout(3, fn() => \$m->wait('{$note}')));
            echo json_encode(Tortoise\\shared('model', 'Big_Model')->seen);
            PHP, $ini);
        Processes::awaitText($note, 'waits');
        // The other session of the process goes on meanwhile.
        self::assertSame(1, self::evaluate('return Tortoise\shared("other", "Big_Model")->add();', $ini));
        $output = $waiting->wait()->cleanOutput();
        self::assertStringStartsWith('Tortoise\TimeoutException: ', $output);
        self::assertStringEndsWith('["interrupted"]', $output);
    }

    public function testTheCallOfAPhpThatDiesIsInterrupted(): void
    {
        $note = self::sandbox()->write('note', '');
        $php = self::startPhp(self::MODEL . "\$m->wait('{$note}');");
        Processes::awaitText($note, 'waits');
        $php->kill();
        self::assertSame([['interrupted'], 1], self::evaluate(self::MODEL . 'return [$m->seen, $m->add()];'));
    }

    public function testACallThatDoesNotEndIsEndedWithTheProcess(): void
    {
        $sidecar = new Sidecar(self::sandbox(), ['--grace', '0.3'], __DIR__);
        $ini = ['tortoise.server' => $sidecar->address];
        [$process] = self::evaluate(self::MODEL . 'return [$m->process()];', $ini);
        $note = self::sandbox()->write('note', '');
        $php = self::startPhp(self::MODEL . "\$m->swallow('{$note}');", $ini);
        Processes::awaitText($note, 'waits');
        $php->kill();

        // This one has its turn when the other's process has ended, and sees nothing of that.
        [$calls, $seen, $now] = self::evaluate(self::MODEL . 'return [$m->add(), $m->seen, $m->process()];', $ini);
        self::assertSame([1, []], [$calls, $seen]);
        self::assertNotSame($process, $now);
        $sidecar->awaitLine("/the shared object 'model': swallow\\(\\) went on for 0\\.3 s after its caller had left; the process of the shared objects is ended/");
    }

    public function testItsDeathBetweenCallsIsNotSeen(): void
    {
        $code = self::MODEL . <<<'PHP'
            $m->threshold = 9.5;
            echo $m->process(), "\n";
            fgets(STDIN);
            echo json_encode([$m->threshold, $m->add()]);
            PHP;
        $php = self::startPhp($code);
        $process = (int) $php->readLine();
        Processes::kill($process);
        Processes::awaitEnd($process);
        $php->writeLine();
        self::assertSame("{$process}\n[1.5,1]", trim($php->wait()->cleanOutput()));
    }

    public function testItsDeathInACallIsSaid(): void
    {
        $note = self::sandbox()->write('note', '');
        $php = self::startPhp(Script::ATTEMPT . self::MODEL . "echo \$m->process(), \"\\n\"; attempt(fn() => \$m->wait('{$note}')); attempt(fn() => \$m->add());");
        $process = (int) $php->readLine();
        Processes::awaitText($note, 'waits');
        Processes::kill($process);
        $lines = explode("\n", trim($php->wait()->cleanOutput()));
        self::assertStringStartsWith(
            'Tortoise\Python\tortoise_worker\SharedError: the process of the shared objects ended in the middle of a call, which may have been done;',
            $lines[\count($lines) - 2],
        );
        self::assertSame('value: 1', $lines[\count($lines) - 1]);
        self::assertStringContainsString("the process of the shared objects, {$process}, was ended by signal 9; they are made anew", self::sandbox()->log());
    }

    public function testAReloadGivesNewSessionsNewObjectsAndLeavesOldOnesTheirs(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        $ini = ['tortoise.server' => $sidecar->address];
        $old = self::startPhp(self::MODEL . <<<'PHP'
            $m->add();
            echo $m->process(), "\n";
            fgets(STDIN);
            echo json_encode([$m->add(), $m->process()]);
            PHP, $ini);
        $process = (int) $old->readLine();
        $sidecar->signal(SIGHUP);
        $sidecar->awaitLine('/retir/');
        [$calls, $new] = self::evaluate(self::MODEL . 'return [$m->add(), $m->process()];', $ini);
        self::assertSame(1, $calls);
        self::assertNotSame($process, $new);

        $old->writeLine();
        self::assertSame("{$process}\n[2,{$process}]", trim($old->wait()->cleanOutput()));
        // Its last session has left.
        Processes::awaitEnd($process);
        self::assertSame([2, $new], self::evaluate(self::MODEL . 'return [$m->add(), $m->process()];', $ini));

        $sidecar->signal(SIGTERM);
        $sidecar->wait();
        Processes::awaitEnd($new);
    }

    public function testAChangedFileGivesANewObjectWhileOneDevelops(): void
    {
        // A private sidecar looks at files.
        $class = "class Edited:\n    def answer(self):\n        return '%s'\n";
        $code = 'return [Tortoise\shared("edited", "Edited")->answer()];';
        self::assertSame(['before'], self::evaluate($code, classes: ['Edited.py' => \sprintf($class, 'before')]));
        self::assertSame(['behind it'], self::evaluate($code, classes: ['Edited.py' => \sprintf($class, 'behind it')]));
    }

    public function testItEndsWithTheSidecarHoweverThatEnds(): void
    {
        $sidecar = new Sidecar(self::sandbox(), path: __DIR__);
        [$process] = self::evaluate(self::MODEL . 'return [$m->process()];', ['tortoise.server' => $sidecar->address]);
        $sidecar->signal(SIGKILL);
        Processes::awaitEnd($process);
        self::assertFalse(Processes::runs($process));
    }
}
