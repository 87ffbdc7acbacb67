<?php

declare(strict_types=1);

namespace Tortoise\Tests\Shared;

use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\TestCase;

/** `Tortoise\shared()`: one object for all sessions. */
final class SharedTest extends TestCase
{
    public function testAllPhpProcessesHaveOneObject(): void
    {
        $code = '$m = Tortoise\shared("model", "Big_Model", %s); return [$m->threshold, $m->add(), $m->process(), $m->process() === getmypid()];';
        [$threshold, $calls, $process] = self::evaluate(\sprintf($code, '1.5'));
        self::assertSame([1.5, 1], [$threshold, $calls]);
        self::assertSame([1.5, 2, $process, false], self::evaluate(\sprintf($code, '9.5')));
    }

    public function testItIsUsedAsAnyObject(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $m = Tortoise\shared('model', 'Big_Model', 1.5, label: 'x');
            $m->threshold = 2.5;
            $m->extra = ['k' => [1, null]];
            $before = isset($m->extra);
            $extra = $m->extra;
            unset($m->extra);
            return [
                get_class($m), $m instanceof Tortoise\PyObject, $m instanceof Countable,
                $m->predict([1.0, 3.0]), $m->predict([1], factor: 3), $m->threshold, $m->label, $m->LIMIT,
                [$before, $extra, isset($m->extra), isset($m->nothing), isset($m->threshold)],
                count($m), $m['key'], iterator_to_array($m), (string) $m,
                $m->echo('a', n: 2), Tortoise\shared('model', '\Big_Model')->threshold, Tortoise\shared('two', 'Big_Model')->threshold,
                (clone $m)->threshold, $m->other(), $m->other(),
            ];
            PHP);

        self::assertSame([
            'Tortoise\Python\tortoise_worker\shared\Big\Model\Model', true, true,
            [false, true], [true], 2.5, 'x', 7,
            [true, ['k' => [1, null]], false, false, true],
            3, 'key', [1, 2.5, 'x'], 'a model',
            ['a', ['n' => 2]], 2.5, 0.5,
            2.5, 1, 2,
        ], $facts);
    }

    public function testWhatPhpGivesIsWhatPythonGetsElsewhere(): void
    {
        $shown = self::evaluate(<<<'PHP'
            $m = Tortoise\shared('model', 'Big_Model');
            $values = [null, true, 1, 1.0, 'x', [1, 2], ['a' => 1], [3 => 'x'], new Tortoise\Bytes('y'), "\xff", new DateTimeImmutable('2024-02-03 04:05:06.7 UTC'), PHP_INT_MIN];
            return array_map(fn($value) => $m->shown($value), $values);
            PHP);
        self::assertSame(['None', 'True', '1', '1.0', "'x'", '[1, 2]', "{'a': 1}", "{3: 'x'}", "b'y'", "b'\\xff'"], \array_slice($shown, 0, 10));
        self::assertStringStartsWith('datetime.datetime(2024, 2, 3, 4, 5, 6, 700000, tzinfo=', $shown[10]);
        self::assertSame('-9223372036854775808', $shown[11]);
    }

    public function testAnObjectIsRefusedWithItsPlace(): void
    {
        $output = self::php(Script::ATTEMPT . <<<'PHP'
            $m = Tortoise\shared('model', 'Big_Model');
            attempt(fn() => $m->echo([1, ['k' => $m]]));
            attempt(fn() => $m->echo(new ArrayObject()));
            attempt(fn() => $m->echo(1, named: [fn() => 1]));
            attempt(fn() => $m->an_object());
            attempt(fn() => $m->threshold = new Service());
            attempt(fn() => Tortoise\shared('new', 'Big_Model', ['deep' => [new Service()]]));
            attempt(fn() => $m->echo(1));
            PHP)->cleanOutput();
        $lines = explode("\n", trim($output));

        self::assertStringStartsWith('Tortoise\ConversionException: args[0][1]["k"]: an object of type tortoise_worker.shared.Big.Model.Model, ', $lines[0]);
        self::assertStringStartsWith('Tortoise\ConversionException: args[0]: an object of type php.ArrayObject, ', $lines[1]);
        self::assertStringStartsWith('Tortoise\ConversionException: kwargs["named"][0]: an object of type ', $lines[2]);
        self::assertStringStartsWith('Tortoise\ConversionException: return value["rows"][1]: an object of type object, ', $lines[3]);
        self::assertStringStartsWith('Tortoise\ConversionException: new value of threshold: an object of type Service.Service, ', $lines[4]);
        self::assertStringStartsWith('Tortoise\ConversionException: args[0]["deep"][0]: an object of type Service.Service, ', $lines[5]);
        self::assertSame('value: 1', $lines[6]);
    }

    public function testErrorsOfTheObjectAndOfTheCall(): void
    {
        $output = self::php(Script::ATTEMPT . <<<'PHP'
            $m = Tortoise\shared('model', 'Big_Model');
            attempt(fn() => $m->fail());
            attempt(fn() => $m->fail_oddly());
            attempt(fn() => $m->nothing());
            attempt(fn() => $m->nothing);
            attempt(fn() => $m->_wait(null));
            attempt(fn() => $m->predict());
            attempt(fn() => Tortoise\shared('no', 'No_Such'));
            attempt(fn() => Tortoise\shared('model', 'Meeting'));
            attempt(fn() => Tortoise\shared('', 'Meeting'));
            attempt(fn() => Tortoise\shared('meeting'));
            try {
                $m->fail();
            } catch (Tortoise\PythonException $error) {
                echo basename($error->getFile()) === basename(__FILE__) ? 'here' : $error->getFile(), "\n", $error->getPythonTraceback();
            }
            PHP)->cleanOutput();
        $lines = explode("\n", trim($output));

        self::assertSame("Tortoise\\Python\\KeyError: 'gone'", $lines[0]);
        self::assertSame('Tortoise\Python\tortoise_worker\SharedError: Big.Model.OddError: this way', $lines[1]);
        self::assertStringContainsString("'Model' object has no attribute 'nothing'", $lines[2] . $lines[3]);
        self::assertStringEndsWith('::_wait()', $lines[4]);
        self::assertStringContainsString("missing 1 required positional argument: 'values'", $lines[5]);
        self::assertStringStartsWith('Tortoise\AccessException: there is no class file for No_Such under ', $lines[6]);
        self::assertSame(
            "Tortoise\\Python\\tortoise_worker\\SharedError: the shared object 'model' is of class Big.Model.Model already, not "
                . 'Meeting.Meeting; a name stands for one object',
            $lines[7],
        );
        self::assertStringStartsWith('Tortoise\AccessException: "" is not the name of a shared object', $lines[8]);
        self::assertStringStartsWith('ArgumentCountError: Tortoise\shared() takes at least 2 arguments', $lines[9]);
        self::assertSame('here', $lines[10]);
        self::assertStringContainsString("In the process of the shared objects:\nTraceback", $output);
        self::assertStringContainsString('Big/Model.py", line ', $output);
    }

    public function testPythonHasTheSame(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $m = Tortoise\shared('model', 'Big_Model', 1.5);
            $s = new Service();
            return [$s->predict([1, 2]), $s->threshold(), $s->give([1, $s]), $s->kinds(), $s->fail(), $m->calls];
            PHP);
        self::assertSame([
            [false, true], 1.5,
            'ConversionError: args[0][1]: an object of type Service.Service, and shared objects take and give values only',
            "(1, {2}, {3: 4}, b'x', 1180591620717411303424)",
            'Big.Model.OddError: Big.Model.OddError: this way', 1,
        ], $facts);
    }

    public function testWhatPythonCodeRaisesIsAPythonException(): void
    {
        // The user's code stands between PHP and the call that was refused.
        $output = self::php(Script::ATTEMPT . 'attempt(fn() => (new Service())->give_on(new Service()));')->cleanOutput();
        self::assertStringStartsWith('Tortoise\Python\tortoise_worker\shared_errors\ConversionError: args[0]: an object of type Service.Service', $output);
    }

    public function testTheClassIsNotImportedByTheSession(): void
    {
        $loaded = self::evaluate(
            'Tortoise\shared("model", "Big_Model")->add(); return (new Probe())->modules();',
            classes: ['Probe.py' => "import sys\n\nclass Probe:\n    def modules(self):\n        return [name for name in sys.modules if name.startswith('Big')]\n"],
        );
        self::assertSame([], $loaded);
    }

    public function testCallsOfManyProcessesWaitForEachOther(): void
    {
        $code = '$m = Tortoise\shared("model", "Big_Model"); for ($i = 0; $i < 50; $i++) { $m->add(); } echo "done";';
        $running = array_map(fn() => self::startPhp($code), range(1, 4));
        foreach ($running as $php) {
            self::assertSame('done', $php->wait()->cleanOutput());
        }
        self::assertSame(200, self::evaluate('return Tortoise\shared("model", "Big_Model")->calls;'));
    }

    public function testAThreadSafeClassIsCalledByManyAtOnce(): void
    {
        $code = 'echo Tortoise\shared("meeting", "Meeting")->meet();';
        $running = [self::startPhp($code), self::startPhp($code)];
        $outputs = array_map(fn($php) => $php->wait()->cleanOutput(), $running);
        sort($outputs);
        self::assertSame(['0', '1'], $outputs);
    }
}
