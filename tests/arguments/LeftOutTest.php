<?php

declare(strict_types=1);

namespace Tortoise\Tests\Arguments;

use Taken;
use Taken_Recorder;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

use const Tortoise\LEFT_OUT;

/** A default that PHP shows is Python's to fill in: an argument that was left out is left out on the wire too. */
final class LeftOutTest extends TestCase
{
    private Taken_Recorder $recorder;

    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
        // The class file is Taken.py, so the recorder is there when Taken is.
        class_exists(Taken::class);
    }

    protected function setUp(): void
    {
        $this->recorder = Taken::recorder('a');
    }

    public function testDefaultsAreNotSent(): void
    {
        self::assertSame([['a'], []], $this->recorder->given);
        self::assertSame([[], []], $this->recorder->record());
        self::assertSame([['x'], []], $this->recorder->record('x'));
    }

    public function testWhatStandsBehindALeftOutOneTravelsByName(): void
    {
        self::assertSame([['x'], ['c' => 'z']], $this->recorder->record('x', c: 'z'));
        self::assertSame([[], ['b' => 'y']], $this->recorder->record(b: 'y'));
        self::assertSame([['x'], ['c' => 'z', 'd' => 4]], $this->recorder->record('x', d: 4, c: 'z'));
        self::assertSame([['x'], ['c' => 'z']], $this->recorder->record('x', LEFT_OUT, 'z'));
    }

    public function testADefaultOfBytesStaysBytes(): void
    {
        $taken = new Taken(0);
        self::assertSame("[1.0, b'raw', 'c']", $taken->bytes_default(c: 'c'));
        self::assertSame("[2.0, b'raw', 0.0]", $taken->bytes_default(2.0, c: 0.0));
        self::assertSame("[1.0, b'own', -0.0]", $taken->bytes_default(1.0, 'own'));
    }

    public function testTheDefaultItselfIsAnArgument(): void
    {
        self::assertSame([[1, 'two', null], []], $this->recorder->record(1, 'two', null));
        self::assertSame([[1], ['d' => false]], $this->recorder->record(1, d: false));
    }

    public function testPassingTheConstantPassesNothing(): void
    {
        self::assertSame([[], []], $this->recorder->record(LEFT_OUT));
        self::assertSame([['x'], []], $this->recorder->record('x', LEFT_OUT, LEFT_OUT));
        self::assertSame([[], ['c' => 1]], $this->recorder->record(LEFT_OUT, LEFT_OUT, 1));
        self::assertSame([['x'], []], $this->recorder->record('x', d: LEFT_OUT));
        self::assertSame(['args' => [1], 'kwargs' => []], (new Taken(0))->anything(1, LEFT_OUT));
        self::assertSame(['args' => [1], 'kwargs' => ['b' => 2]], (new Taken(0))->anything(1, a: LEFT_OUT, b: 2));
        self::assertSame(['dynamic', [1], []], (new Taken(0))->dynamic(1, LEFT_OUT));
        self::assertSame(['dynamic', [], ['b' => 2]], (new Taken(0))->dynamic(a: LEFT_OUT, b: 2));
        self::assertSame([1, 2, [], 3, []], (new Taken(1, LEFT_OUT, third: LEFT_OUT))->given);
    }

    public function testItCannotBeLeftOutBeforeOneThatHasNoName(): void
    {
        $taken = new Taken(0);
        try {
            $taken->positional_only(LEFT_OUT, 'b');
            self::fail('$a was left out');
        } catch (\ArgumentCountError $error) {
            self::assertStringContainsString('$a', $error->getMessage());
        }
        $this->expectException(\ArgumentCountError::class);
        $this->expectExceptionMessage('cannot be left out');
        $taken->anything(LEFT_OUT, 1);
    }

    public function testAMutableDefaultIsPythonsOwnObject(): void
    {
        $taken = new Taken(0);
        $before = \count($taken->mutable_default('x'));
        self::assertCount($before + 1, $taken->mutable_default('y'));
    }
}
