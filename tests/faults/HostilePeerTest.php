<?php

declare(strict_types=1);

namespace Tortoise\Tests\Faults;

use Tortoise\Tests\Support\Frames;
use Tortoise\Tests\Support\Raw;
use Tortoise\Tests\Support\Script;
use Tortoise\Tests\Support\ScriptedPeer;
use Tortoise\Tests\Support\TestCase;

/** A sidecar that does not keep to the wire: each time one clear exception, and PHP goes on. */
final class HostilePeerTest extends TestCase
{
    /** What a script of two attempts prints. @var list<string> */
    private array $lines;

    /** @dataProvider greetings */
    public function testAnAnswerToTheHelloThatIsNone(string $answer, string $expected): void
    {
        $this->attempt([[$answer, null]]);
        self::assertStringStartsWith('Tortoise\ConnectionException: the sidecar at unix://', $this->lines[0]);
        self::assertStringContainsString($expected, $this->lines[0]);
        self::assertSame('still here', end($this->lines));
    }

    /** @return iterable<string, array{string, string}> */
    public static function greetings(): iterable
    {
        yield 'a refusal' => [Frames::refusal('no room for you', false), 'no room for you'];
        yield 'another version' => [Frames::welcome('9.9.9'), 'version'];
        yield 'an unknown kind' => [Frames::frame(0x7f, 0, ''), 'kind 0x7f'];
        yield 'an unknown flag' => [Frames::frame(Frames::WELCOME, 0, '', 0x80), 'flag'];
        yield 'another kind' => [Frames::frame(Frames::VALUE, 0, "\xc0"), 'welcome'];
        yield 'a length over the limit' => [Frames::frame(Frames::WELCOME, 0, '', length: 0xFFFFFFFF), 'limit'];
        yield 'a length one over the limit' => [Frames::frame(Frames::WELCOME, 0, '', length: 65537), 'limit'];
        yield 'garbage in the welcome' => [Frames::frame(Frames::WELCOME, 0, "\xc1\xc1\xc1"), 'makes no sense'];
        yield 'an empty welcome' => [Frames::frame(Frames::WELCOME, 0, ''), 'makes no sense'];
        yield 'a welcome with an endless map' => [Frames::frame(Frames::WELCOME, 0, "\xdf\xff\xff\xff\xff"), 'makes no sense'];
        yield 'a welcome with more behind it' => [
            Frames::frame(Frames::WELCOME, 0, substr(Frames::welcome(), Frames::HEADER_BYTES) . "\xc0"), 'makes no sense',
        ];
        yield 'an HTTP server' => ["HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", 'limit'];
    }

    public function testARefusalInAnyTextIsShownAsText(): void
    {
        $this->attempt([[Frames::refusal("one\ntwo\0three \xff", false), null]]);
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $this->lines[0]);
        $this->setUp();
        $this->attempt([[Frames::refusal("one\ntwo\0three", false), null]]);
        self::assertStringContainsString("one|two\u{fffd}three", $this->lines[0]);
    }

    public function testARefusalThatAllowsItIsTriedAgain(): void
    {
        $this->attempt([
            [Frames::refusal('one moment', true), null],
            [Frames::refusal('one more moment', true), null],
            [Frames::welcome(), self::described('Some_Thing')],
        ]);
        self::assertSame('value: true', $this->lines[0]);
    }

    /** A sidecar that is leaving may close without a word: the next one is tried. */
    public function testAPeerThatClosesAtOnceIsTriedAgain(): void
    {
        $this->attempt([[null], ['', null], [Frames::welcome(), self::described('Some_Thing')]]);
        self::assertSame('value: true', $this->lines[0]);
    }

    /** But not for ever, and not for the half minute that a sidecar may take to start. */
    public function testAPeerThatAlwaysClosesIsGivenUp(): void
    {
        $begin = hrtime(true);
        $this->attempt([[null]]);
        self::assertStringStartsWith('Tortoise\ConnectionException: the sidecar at unix://', $this->lines[0]);
        self::assertStringContainsString('closed the connection', $this->lines[0]);
        self::assertLessThan(15, (hrtime(true) - $begin) / 1e9);
    }

    public function testAWelcomeCutAtAnyPlaceIsNoCrash(): void
    {
        $welcome = Frames::welcome();
        foreach ([1, 31, 32, 33, \strlen($welcome) - 1] as $cut) {
            $this->setUp();
            $this->attempt([[substr($welcome, 0, $cut), null], [Frames::refusal("cut at {$cut}", false), null]]);
            self::assertStringContainsString("cut at {$cut}", $this->lines[0]);
        }
    }

    /** @dataProvider answers */
    public function testAnAnswerToACallThatIsNone(string $answer, string $expected, string $class = 'ConnectionException'): void
    {
        $this->attempt(
            [[Frames::welcome(), self::described('Some_Thing'), $answer, null], [Frames::refusal('that was all', false), null]],
            'attempt(fn() => Some_Thing::make()); attempt(fn() => Some_Thing::make());',
        );
        self::assertStringStartsWith("Tortoise\\{$class}: ", $this->lines[0]);
        self::assertStringContainsString($expected, $this->lines[0]);
        self::assertStringStartsWith('Tortoise\\', $this->lines[1]);
        self::assertSame('still here', end($this->lines));
    }

    /** @return iterable<string, array{0: string, 1: string, 2?: string}> */
    public static function answers(): iterable
    {
        $value = static fn(string $payload): string => Frames::frame(Frames::VALUE, 2, $payload);
        $failure = static fn(mixed ...$fields): string => Frames::frame(Frames::FAILURE, 2, Frames::pack($fields));
        yield 'nothing' => ['', 'closed the connection'];
        yield 'half a header' => [substr($value("\xc0"), 0, 20), 'in the middle'];
        yield 'half a frame' => [substr($value(Frames::pack('text')), 0, 34), 'in the middle'];
        yield 'another call' => [Frames::frame(Frames::VALUE, 3, "\xc0"), 'call 3'];
        yield 'an earlier call' => [Frames::frame(Frames::VALUE, 1, "\xc0"), 'call 1'];
        yield 'no call' => [Frames::frame(Frames::VALUE, 0, "\xc0"), 'call 0'];
        yield 'an unknown kind' => [Frames::frame(0x44, 2, "\xc0"), 'kind 0x44'];
        yield 'that it retires, in the middle of a request' => [Frames::frame(Frames::RETIRED, 0, ''), 'call 0'];
        yield 'a request' => [Frames::frame(Frames::CALL, 2, "\xc0"), 'Call'];
        yield 'another answer' => [Frames::frame(Frames::DESCRIBED, 2, "\xc0"), 'Described'];
        yield 'an unknown flag' => [Frames::frame(Frames::VALUE, 2, "\xc0", 0x08), 'flag'];
        yield 'a length over the limit' => [Frames::frame(Frames::VALUE, 2, '', length: 0xFFFFFFFF), 'limit'];
        yield 'a length one over the limit' => [Frames::frame(Frames::VALUE, 2, '', length: (512 << 20) + 1), 'limit'];
        yield 'a length at the limit, and no more' => [Frames::frame(Frames::VALUE, 2, 'x', length: 512 << 20), 'in the middle'];
        yield 'an empty value' => [$value(''), 'makes no sense'];
        yield 'an unknown tag' => [$value("\xc1"), 'makes no sense'];
        yield 'an unknown extension' => [$value("\xd4\x7f\x00"), 'makes no sense'];
        yield 'two values' => [$value("\xc0\xc0"), 'makes no sense'];
        yield 'a text that is cut' => [$value("\xdb\x00\x00\x00\x05abc"), 'makes no sense'];
        yield 'a text of 4 GiB' => [$value("\xdb\xff\xff\xff\xff"), 'makes no sense'];
        yield 'an array of 2^32' => [$value("\xdd\xff\xff\xff\xff"), 'makes no sense'];
        yield 'a map of 2^32' => [$value("\xdf\xff\xff\xff\xff"), 'makes no sense'];
        yield 'a map with a list as a key' => [$value("\x81\x90\xc0"), 'key'];
        yield 'nesting 100,000 deep' => [$value(str_repeat("\x91", 100_000) . "\xc0"), 'deep'];
        yield 'maps 100,000 deep' => [$value(str_repeat("\x81\xa1x", 100_000) . "\xc0"), 'deep'];
        yield 'an integer beyond 64 bits' => [$value("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), '18446744073709551615', 'ConversionException'];
        $bulk = static fn(string $payload, string $segments, ?int $promised = null): string => Frames::frame(
            Frames::VALUE,
            2,
            $payload,
            segments: $segments,
            promised: $promised,
        );
        $segment = static fn(int $kind, int $bytes): string => "\xc7\x05\x03" . \chr($kind) . pack('N', $bytes);
        yield 'keys of nothing' => [$value("\xd4\x06\x01\xc0"), 'makes no sense'];
        yield 'keys of nothing in a list' => [$value("\x91\xd4\x06\x01\xc0"), 'without keys'];
        yield 'keys of a list' => [$value("\x92\x91\xc0\xd4\x06\x01\xc0"), 'without keys'];
        yield 'keys of a map without any' => [$value("\x92\x80\xd4\x06\x00"), 'without keys'];
        yield 'keys of a map in another list' => [$value("\x92\x91\x81\xa1x\xc0\xd4\x06\x01\xc0"), 'without keys'];
        yield 'keys in a map' => [$value("\x81\xa1x\xd4\x06\x01\xc0"), 'without keys'];
        yield 'more values than keys' => [$value("\x92\x81\xa1x\xc0\xd4\x06\x02\xc0\xc0"), 'makes no sense'];
        yield 'fewer values than keys' => [$value("\x92\x82\xa1x\xc0\xa1y\xc0\xd4\x06\x01\xc0"), 'makes no sense'];
        yield 'a key twice, and values for both' => [$value("\x92\x82\xa1x\xc0\xa1x\x01\xd4\x06\x02\xc0\xc0"), 'makes no sense'];
        yield 'values that are not there' => [$value("\x92\x81\xa1x\xc0\xd4\x06\xff"), 'makes no sense'];
        yield 'maps without keys 100,000 deep' => [$value("\x92\x81\xa1x\xc0" . str_repeat("\xd4\x06\x01\x92\x81\xa1x\xc0", 100_000) . "\xc0"), 'deep'];
        yield 'floats that end inside an element' => [$value("\xc9\x00\x00\x00\x0c\x04" . str_repeat('x', 12)), 'inside an element'];
        yield 'floats that are cut' => [$value("\xc9\x00\x00\x00\x10\x04" . str_repeat('x', 8)), 'makes no sense'];
        yield 'integers of 4 GiB' => [$value("\xc9\xff\xff\xff\xf8\x05"), 'makes no sense'];
        yield 'a segment that nothing follows' => [$bulk($segment(0, 8), ''), 'segments'];
        yield 'segments that nothing announces' => [$bulk("\xc0", str_repeat('x', 100)), 'segments'];
        yield 'fewer bytes of segments than announced' => [$bulk($segment(0, 8), 'xxxx'), 'segments'];
        yield 'more bytes of segments than announced' => [$bulk($segment(0, 8), str_repeat('x', 100)), 'segments'];
        yield 'segments of 8 GiB, together' => [$bulk("\x92" . $segment(0, 0xFFFFFFFF) . $segment(1, 0xFFFFFFFF), 'x'), 'segments'];
        yield 'segments that are promised and never come' => [$bulk($segment(1, 1 << 20), '', 1 << 20), 'in the middle'];
        yield 'segments that end early' => [$bulk("\x92" . $segment(0, 5) . $segment(2, 80_000), str_repeat('x', 1000), 80_005), 'in the middle'];
        yield 'segments over the limit' => [$bulk($segment(1, 512 << 20), '', 512 << 20), 'limit'];
        yield 'a segment of no known kind' => [$bulk($segment(9, 8), str_repeat('x', 8)), 'makes no sense'];
        yield 'a segment of numbers that ends inside one' => [$bulk($segment(3, 12), str_repeat('x', 12)), 'inside an element'];
        yield 'a segment for a key' => [$bulk("\x81" . $segment(0, 8) . "\xc0", str_repeat('x', 8)), 'key'];
        yield 'nonsense behind a segment' => [$bulk("\x92" . $segment(0, 8) . "\xc1", str_repeat('x', 8)), 'makes no sense'];
        yield 'garbage for a failure' => [Frames::frame(Frames::FAILURE, 2, "\xc0"), 'makes no sense'];
        yield 'a failure of no known category' => [$failure(9, 0, 'x', []), 'makes no sense'];
        yield 'a failure of Python without an exception' => [$failure(0, 0, 'nothing raised', []), 'nothing raised'];
        yield 'a refused name' => [$failure(1, 0, 'not for you', []), 'not for you', 'AccessException'];
        yield 'a conversion' => [$failure(2, 1, 'cannot cross', []), 'cannot cross', 'ConversionException'];
        yield 'a stale object' => [$failure(3, 0, 'long gone', []), 'long gone', 'StaleObjectException'];
        yield 'a protocol error' => [$failure(4, 0, 'you are wrong', []), 'you are wrong'];
        yield 'a message with NUL' => [$failure(1, 0, "a\0b", []), "a\u{fffd}b", 'AccessException'];
        yield 'a thousand causes' => [$failure(0, 1, 'x', array_fill(0, 1000, [])), 'makes no sense'];
    }

    /** What was passed over of one answer's segments does not stand in the way of the next answer. */
    public function testSegmentsOfAnAnswerThatPhpHasNoRoomFor(): void
    {
        $large = "\xc7\x05\x03\x01" . pack('N', 20 << 20);
        $this->attempt(
            [[
                Frames::welcome(),
                self::described('Some_Thing'),
                Frames::frame(Frames::VALUE, 2, $large, segments: str_repeat('x', 20 << 20)),
                Frames::frame(Frames::VALUE, 3, "\x07"),
            ]],
            'ini_set("memory_limit", "16M"); attempt(fn() => Some_Thing::make()); attempt(fn() => Some_Thing::make());',
        );
        self::assertStringStartsWith('Tortoise\ConversionException: the answer is too large', $this->lines[0]);
        self::assertSame(['value: 7', 'still here'], \array_slice($this->lines, 1));
    }

    public function testAConstructionThatIsAnsweredWithNoObject(): void
    {
        foreach ([Frames::pack('text'), Frames::pack(null), Frames::pack([]), ''] as $payload) {
            $this->setUp();
            $this->attempt(
                [[Frames::welcome(), self::described('Some_Thing'), Frames::frame(Frames::VALUE, 2, $payload), null]],
                'attempt(fn() => new Some_Thing());',
            );
            self::assertStringStartsWith('Tortoise\ConnectionException: ', $this->lines[0]);
        }
    }

    /** The engine takes what a cast gives for the type that it asked for. */
    public function testATextThatIsNone(): void
    {
        $object = "\xc7\x11\x01" . pack('JJ', 10, 0) . "\x00";
        foreach ([Frames::pack(7), Frames::pack(true), Frames::pack([1, 2]), $object] as $payload) {
            $this->setUp();
            $this->attempt(
                [[
                    Frames::welcome(),
                    self::described('Some_Thing'),
                    Frames::frame(Frames::VALUE, 2, $object),
                    Frames::frame(Frames::VALUE, 3, $payload),
                    null,
                ]],
                'attempt(fn() => strlen((string) Some_Thing::make()));',
            );
            self::assertStringStartsWith('Tortoise\ConnectionException: ', $this->lines[0]);
            self::assertSame('still here', end($this->lines));
        }
    }

    /** @dataProvider descriptions */
    public function testAHostileDescription(string $payload, string $expected): void
    {
        $this->attempt([[Frames::welcome(), Frames::frame(Frames::DESCRIBED, 1, $payload), '', null]]);
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $this->lines[0]);
        self::assertStringContainsString($expected, $this->lines[0]);
        self::assertSame('still here', end($this->lines));
    }

    /** @return iterable<string, array{string, string}> */
    public static function descriptions(): iterable
    {
        $described = static fn(mixed ...$changed): string => self::description('Some_Thing', ...$changed);
        $sense = 'makes no sense';
        foreach (['', '1', 'a b', 'a;b', 'x{}', "x\0y", '"', 'a\\', '\\a', 'a\\\\b', 'x*/', '?>', '<?php', '$x', "x\n", str_repeat('x', 1025)] as $name) {
            yield 'the class name ' . substr(json_encode($name), 0, 20) => [self::description($name), $sense];
        }
        foreach (['', '1', 'a b', 'f(){} function g', "f\0g", '?>', "f\u{0}", 'a-b', str_repeat('x', 1025)] as $name) {
            $method = [[$name, 1, [], null, 1]];
            yield 'the method name ' . substr(json_encode($name), 0, 20) => [$described(methods: $method), $sense];
            $parameter = [['make', 1, [[$name, 1]], null, 1]];
            yield 'the parameter name ' . substr(json_encode($name), 0, 20) => [$described(methods: $parameter), $sense];
            yield 'the constant name ' . substr(json_encode($name), 0, 20) => [$described(constants: [[$name, 1]]), $sense];
            yield 'the property name ' . substr(json_encode($name), 0, 20) => [$described(properties: [[$name, 1]]), $sense];
        }
        yield 'an unknown kind of method' => [$described(methods: [['make', 9, [], null, 1]]), $sense];
        yield 'an unknown kind of parameter' => [$described(methods: [['make', 1, [['x', 9]], null, 1]]), $sense];
        yield 'an object for a constant' => [$described(constants: [['X', new Raw("\xc1")]]), $sense];
        yield 'a literal 10,000 deep' => [
            $described(constants: [['X', new Raw(str_repeat("\x91", 10_000) . "\xc0")]]), 'deep',
        ];
        yield 'a documentation of 1 MiB' => [$described(documentation: str_repeat('x', 1 << 20)), $sense];
        yield '100,000 methods' => [$described(methods: array_fill(0, 100_000, null)), $sense];
        yield '300 parameters' => [$described(methods: [['make', 1, array_fill(0, 300, ['x', 1]), null, 1]]), $sense];
        yield 'bases without ids' => [$described(bases: [['Other', Raw::binary(str_repeat('f', 16))]]), $sense];
        yield 'a fingerprint of 3 bytes' => [Frames::pack([2, Raw::binary('abc'), [], null]), $sense];
        yield 'nothing that is held' => [Frames::pack([2, Raw::binary(str_repeat('f', 16)), [], null]), 'nobody holds'];
        yield 'no description at all' => ["\xc0", $sense];
    }

    /** Names that PHP reserves or has already, docblocks that would end early, and the like become a class all the same. */
    public function testADescriptionFullOfTrapsBecomesAClass(): void
    {
        $methods = [];
        foreach (['class', 'list', '__get', '__construct', '__destruct', 'exit', 'MAKE', 'make', '__call', '__toString', '__clone', 'self', 'static'] as $name) {
            $methods[] = [$name, 0, [['this', 1], ['class', 1, ["*/ ?> '; exit(1); //"]], ['a', 2], ['b', 4]], '*/ ?> <?php exit(1); /**', 1];
        }
        $methods[] = ['twice', 1, [['x', 1], ['x', 1], ['X', 1, []], ['y', 3, [NAN]], ['y', 3, [-INF]]], "\0", 4294967295];
        $constants = [['class', 1], ['CLASS', 2], ['self', 3], ['X', "'\\\n\$x{\$y}\0?>"], ['X', 5], ['Y', [[1, [-0.0, [NAN]]]]], ['Z', \PHP_INT_MIN]];
        $payload = self::description('Some_Thing', documentation: '*/ exit(1); /*', methods: $methods, constants: $constants, file: "/x\0y\n.py");
        $this->attempt(
            [[Frames::welcome(), Frames::frame(Frames::DESCRIBED, 1, $payload)]],
            'attempt(fn() => class_exists("Some_Thing")); attempt(fn() => count((new ReflectionClass("Some_Thing"))->getMethods()) > 3);'
                . 'attempt(fn() => Some_Thing::X); attempt(fn() => Some_Thing::Z);',
        );
        self::assertSame(
            ['value: true', 'value: true', 'value: ' . json_encode("'\\\n\$x{\$y}\0?>"), 'value: ' . \PHP_INT_MIN, 'still here'],
            $this->lines,
        );
    }

    /** Bases that go round in a circle, or on for ever. */
    public function testBasesWithoutEnd(): void
    {
        $steps = [Frames::welcome()];
        for ($call = 1; $call <= 80; $call++) {
            $base = [["Base_{$call}", Raw::binary(str_repeat('f', 16))]];
            $steps[] = Frames::frame(Frames::DESCRIBED, $call, self::description("Base_{$call}", bases: $base, id: $call, ids: [$call + 1]));
        }
        $this->attempt([$steps]);
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $this->lines[0]);
        self::assertStringContainsString('deep', $this->lines[0]);

        $this->setUp();
        $circle = [['Some_Thing', Raw::binary(str_repeat('f', 16))]];
        $steps = [Frames::welcome()];
        for ($call = 1; $call <= 80; $call++) {
            $steps[] = Frames::frame(Frames::DESCRIBED, $call, self::description('Some_Thing', bases: $circle, ids: [2]));
        }
        $this->attempt([$steps]);
        self::assertStringStartsWith('Tortoise\ConnectionException: ', $this->lines[0]);
    }

    /** An object of a class that the session then cannot describe. */
    public function testAnObjectOfAnUnknownClass(): void
    {
        $object = new Raw("\xc7\x11\x01" . pack('JJ', 10, 99) . "\x00");
        $this->attempt(
            [[
                Frames::welcome(),
                self::described('Some_Thing'),
                Frames::frame(Frames::VALUE, 2, Frames::pack([1, ['deep' => $object]])),
                Frames::frame(Frames::FAILURE, 3, Frames::pack([3, 0, 'no such class', []])),
                null,
            ]],
            'attempt(fn() => Some_Thing::make());',
        );
        self::assertStringStartsWith('Tortoise\\', $this->lines[0]);
        self::assertSame('still here', end($this->lines));
    }

    /** A few bytes can ask for much memory: what memory_limit does not allow is refused. */
    public function testAnAnswerBeyondMemoryLimit(): void
    {
        foreach (["\x90", "\x80", "\xa0", "\x01"] as $element) {
            $this->setUp();
            $value = "\xdd" . pack('N', 8 << 20) . str_repeat($element, 8 << 20);
            $this->attempt(
                [[Frames::welcome(), self::described('Some_Thing'), Frames::frame(Frames::VALUE, 2, $value)]],
                'attempt(fn() => Some_Thing::make());',
            );
            self::assertStringStartsWith('Tortoise\ConversionException: ', $this->lines[0]);
            self::assertStringContainsString('memory_limit of 67108864', $this->lines[0]);
        }
    }

    /** Some builds of PHP let a native function run on beyond the limit, and kill the process at twice as much. */
    public function testManySmallTextsBeyondMemoryLimitEndTheRequestAndNotTheProcess(): void
    {
        $text = "\xd9\x40" . str_repeat('x', 64);
        $pairs = implode('', array_map(static fn(int $key): string => "\xce" . pack('N', $key) . $text, range(1, 1 << 17)));
        foreach (["\xdd" . pack('N', 1 << 17) . str_repeat($text, 1 << 17), "\xdf" . pack('N', 1 << 17) . $pairs] as $value) {
            $this->setUp();
            $steps = [Frames::welcome(), self::described('Some_Thing'), Frames::frame(Frames::VALUE, 2, $value), null];
            $peer = new ScriptedPeer(self::sandbox(), [$steps]);
            self::sandbox()->writeClass('Some/Thing.py', '');
            $code = 'register_shutdown_function(function () { echo "the end"; }); Some_Thing::make();';
            $result = self::php($code, ['tortoise.server' => $peer->address, 'memory_limit' => '8M']);
            self::assertSame(255, $result->exitCode, (string) $result);
            self::assertStringContainsString('the end', $result->output);
        }
    }

    protected function setUp(): void
    {
        $this->lines = [];
        @unlink(self::sandbox()->path('peer.sock'));
    }

    /** @param list<list<string|null>> $connections */
    private function attempt(array $connections, string $code = 'attempt(fn() => class_exists("Some_Thing"));'): void
    {
        $peer = new ScriptedPeer(self::sandbox(), $connections);
        self::sandbox()->writeClass('Some/Thing.py', '');
        $ini = ['tortoise.server' => $peer->address, 'memory_limit' => '64M'];
        $this->lines = explode("\n", self::php(Script::ATTEMPT . $code . ' echo "still here";', $ini)->cleanOutput());
    }

    private static function described(string $name): string
    {
        return Frames::frame(Frames::DESCRIBED, 1, self::description($name));
    }

    /**
     * @param list<mixed> $bases
     * @param list<mixed> $constants
     * @param ?list<mixed> $methods
     * @param list<int> $ids
     */
    private static function description(
        string $name,
        ?string $documentation = null,
        array $bases = [],
        array $constants = [],
        ?array $methods = null,
        ?string $file = null,
        int $id = 2,
        array $ids = [],
        array $properties = [],
    ): string {
        $methods ??= [['make', 1, [], null, 1]];

        return Frames::pack([
            $id,
            Raw::binary(str_pad((string) $id, 16, 'f')),
            $ids,
            [$name, 'some.thing', $name, $file, 1, $documentation, 0, $bases, $constants, $methods, $properties],
        ]);
    }
}
