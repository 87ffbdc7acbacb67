<?php

declare(strict_types=1);

namespace Tortoise\Tests\Sidecar;

use Tortoise\Tests\Support\ProcessResult;
use Tortoise\Tests\Support\Sidecar;
use Tortoise\Tests\Support\TestCase;

/** `tortoise call`: a method of a class, called from a shell. */
final class CallTest extends TestCase
{
    private const SOURCE = <<<'PYTHON'
        import datetime


        class Shelf:
            def __init__(self, *books):
                self.books = list(books)

            @staticmethod
            def joined(a, b, *, between=", "):
                return f"{a!r}{between}{b!r}"

            @classmethod
            def name(cls):
                return cls.__name__

            def count(self):
                return len(self.books)

            def everything(self):
                return [
                    None, True, 7, 1.5, float("nan"), "ä", b"\xff\x00", {"a": [1], 2: {}},
                    [{"x": 1, "y": 2}, {"x": 3, "y": 4}], list(range(16)), [0.5] * 16, [1, 0.5] * 8,
                    datetime.datetime(2026, 1, 2, 3, 4, 5, 600, datetime.timezone(datetime.timedelta(hours=-3))),
                    datetime.timedelta(seconds=90), 2**70, self,
                ]

            def large(self):
                return ["x" * 100_000, [0.5] * 10_000]

            def lose(self):
                try:
                    return {}["key"]
                except KeyError as error:
                    raise LookupError("nothing there") from error

            def ask_php(self):
                import php

                return php.function("strlen")("abc")


        class Shelf_Small(Shelf):
            pass
        PYTHON;

    private Sidecar $sidecar;

    protected function setUp(): void
    {
        parent::setUp();
        self::sandbox()->writeClass('Shelf.py', self::SOURCE);
        $this->sidecar = new Sidecar(self::sandbox());
    }

    public function testArgumentsAreJsonOrText(): void
    {
        self::assertSame("'a', 'b c'", $this->value('Shelf.joined', 'a', 'b c'));
        self::assertSame("'7', 7", $this->value('Shelf.joined', '"7"', '7'));
        self::assertSame("-1, {'k': [None, True, 1.5]}", $this->value('Shelf.joined', '-1', '{"k": [null, true, 1.5]}'));
        self::assertSame("'a'+'b'", $this->value('Shelf.joined', 'a', 'b', '--named', '{"between": "+"}'));
    }

    public function testAMethodOfObjectsGetsAnObject(): void
    {
        self::assertSame(0, $this->value('Shelf.count'));
        self::assertSame(2, $this->value('Shelf.count', '--new', '["one", "two"]'));
        self::assertSame('Shelf', $this->value('Shelf.name'));
    }

    public function testEveryValueIsJson(): void
    {
        $expected = [
            null, true, 7, 1.5, 'NaN', 'ä', ['bytes' => 'ff00'], ['a' => [1], '2' => []],
            [['x' => 1, 'y' => 2], ['x' => 3, 'y' => 4]], range(0, 15), array_fill(0, 16, 0.5),
            array_merge(...array_fill(0, 8, [1, 0.5])), '2026-01-02T03:04:05.000600-03:00', '90.000000 s',
            '0x400000000000000000', ['object' => 'Shelf'],
        ];
        self::assertEquals($expected, $this->value('Shelf.everything'));
        self::assertEquals([str_repeat('x', 100_000), array_fill(0, 10_000, 0.5)], $this->value('Shelf.large'));
    }

    public function testAnExceptionIsPrintedAsPythonDoes(): void
    {
        $result = $this->call('Shelf.lose');
        self::assertSame([1, ''], [$result->exitCode, $result->output]);
        self::assertStringContainsString("KeyError: 'key'\n\nThis led to:\n", $result->errors);
        self::assertStringContainsString('Shelf.py", line ', $result->errors);
        self::assertStringEndsWith("LookupError: nothing there\nerror: LookupError was raised\n", $result->errors);
    }

    public function testWhatIsNotThereIsNamed(): void
    {
        $result = $this->call('No_Such.method');
        self::assertSame(1, $result->exitCode);
        self::assertStringContainsString('error: there is no class file for No_Such under', $result->errors);
        $result = $this->call('Shelf');
        self::assertSame(2, $result->exitCode);
        self::assertStringContainsString('such as Foo_Bar.method', $result->errors);
        $result = $this->call('Shelf.ask_php');
        self::assertStringContainsString('there is no PHP here: the call was made by `tortoise call`', $result->errors);
    }

    public function testWithoutAnAddressItHasASidecarOfItsOwn(): void
    {
        $path = ['--path', self::sandbox()->classes];
        $result = self::sandbox()->run([Sidecar::binary(), 'call', ...$path, 'Shelf.joined', '1', '2'])->wait();
        self::assertSame(0, $result->exitCode, (string) $result);
        self::assertSame("\"1, 2\"\n", $result->output);
        self::assertSame([], glob(self::sandbox()->runtime . '/tortoise-call-*'));
    }

    private function value(string ...$arguments): mixed
    {
        $result = $this->call(...$arguments);
        self::assertSame([0, ''], [$result->exitCode, $result->errors], (string) $result);

        return json_decode($result->output, true, flags: \JSON_THROW_ON_ERROR);
    }

    private function call(string ...$arguments): ProcessResult
    {
        $command = [Sidecar::binary(), 'call', '--address', $this->sidecar->address, ...$arguments];

        return self::sandbox()->run($command)->wait();
    }
}
