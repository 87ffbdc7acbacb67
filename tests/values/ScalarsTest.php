<?php

declare(strict_types=1);

namespace Tortoise\Tests\Values;

use Specimen;
use Tortoise\Tests\Support\TestCase;

use function Tortoise\register;

/** null, bool, int, float and string arrive as themselves, in both directions. */
final class ScalarsTest extends TestCase
{
    public static function setUpBeforeClass(): void
    {
        register(__DIR__);
    }

    /** @return iterable<string, array{mixed, string}> */
    public static function scalars(): iterable
    {
        yield 'null' => [null, 'None'];
        yield 'true' => [true, 'True'];
        yield 'false' => [false, 'False'];
        yield 'zero' => [0, '0'];
        yield 'one' => [1, '1'];
        foreach ([-1, -32, -33, 127, 128, -128, -129, 255, 256, 65535, 65536, -32769, 2147483648, -2147483649] as $int) {
            yield "integer {$int}" => [$int, (string) $int];
        }
        yield 'the largest integer' => [PHP_INT_MAX, '9223372036854775807'];
        yield 'the smallest integer' => [PHP_INT_MIN, '-9223372036854775808'];
        yield 'zero as a float' => [0.0, '0.0'];
        yield 'minus zero' => [-0.0, '-0.0'];
        yield 'a float without a fraction' => [3.0, '3.0'];
        yield 'a float with all digits' => [0.1, '0.1'];
        yield 'the largest float' => [PHP_FLOAT_MAX, '1.7976931348623157e+308'];
        yield 'the smallest denormal float' => [4.9406564584124654e-324, '5e-324'];
        yield 'infinity' => [INF, 'inf'];
        yield 'minus infinity' => [-INF, '-inf'];
        yield 'an empty string' => ['', "''"];
        yield 'a string of zero' => ['0', "'0'"];
        yield 'a numeric string' => ['12', "'12'"];
        yield 'a string' => ['tortoise', "'tortoise'"];
        yield 'a string with NUL' => ["a\0b", "'a\\x00b'"];
        yield 'a string of NUL' => ["\0", "'\\x00'"];
        yield 'a string beyond ASCII' => ['Schildkröte', "'Schildkröte'"];
        yield 'a string beyond 16 bits' => ['🐢', "'🐢'"];
        yield 'a string that is not UTF-8' => ["\xff\xfe", "b'\\xff\\xfe'"];
        yield 'a string cut within a character' => ["ab\xc3", "b'ab\\xc3'"];
        yield 'a surrogate in the form of UTF-8' => ["\xed\xa0\x80", "b'\\xed\\xa0\\x80'"];
        yield 'an overlong form of UTF-8' => ["\xc0\x80", "b'\\xc0\\x80'"];
    }

    /** @dataProvider scalars */
    public function testArrivesInPython(mixed $value, string $inPython): void
    {
        self::assertSame($inPython, Specimen::seen($value));
    }

    /** @dataProvider scalars */
    public function testComesBackAsItWas(mixed $value, string $inPython): void
    {
        $back = Specimen::same($value);
        self::assertSame($value, $back);
        self::assertSame(var_export($value, true), var_export($back, true), 'the sign of zero counts too');
    }

    /** @dataProvider scalars */
    public function testComesBackFromWithinAnArray(mixed $value, string $inPython): void
    {
        self::assertSame([$value, ['deep' => $value]], Specimen::same([$value, ['deep' => $value]]));
        self::assertSame("[{$inPython}, {'deep': {$inPython}}]", Specimen::seen([$value, ['deep' => $value]]));
    }

    public function testNotANumberStaysNotANumber(): void
    {
        self::assertSame('nan', Specimen::seen(NAN));
        self::assertNan(Specimen::same(NAN));
        self::assertNan(Specimen::made('[float("nan")]')[0]);
    }

    public function testEmptyValuesStayDifferent(): void
    {
        self::assertSame("[0, False, None, '', [], 0.0]", Specimen::seen([0, false, null, '', [], 0.0]));
        self::assertSame([0, false, null, '', [], 0.0], Specimen::made("[0, False, None, '', [], 0.0]"));
    }

    /** @return iterable<string, array{string, string}> */
    public static function binaries(): iterable
    {
        yield 'bytes' => ["b'\\x00\\xffab'", "\0\xffab"];
        yield 'bytes that are text' => ["b'abc'", 'abc'];
        yield 'no bytes' => ["b''", ''];
        yield 'a bytearray' => ["bytearray(b'\\x00\\xfe')", "\0\xfe"];
        yield 'an empty bytearray' => ['bytearray()', ''];
    }

    /** @dataProvider binaries */
    public function testBytesComeAsAString(string $expression, string $expected): void
    {
        self::assertSame($expected, Specimen::made($expression));
    }

    public function testAStringOfTenMegabytesPasses(): void
    {
        $text = str_repeat('Schildkröte ', 10_000_000 >> 3);
        self::assertGreaterThan(10_000_000, \strlen($text));
        self::assertTrue($text === Specimen::same($text));
        self::assertSame('str', Specimen::made('type("").__name__'));
        $bytes = random_bytes(10 << 20) . "\xff";
        self::assertTrue($bytes === Specimen::same($bytes));
        self::assertSame(12_000_000, \strlen(Specimen::made('"x" * 12_000_000')));
    }

    /** @return iterable<string, array{string}> */
    public static function largeIntegers(): iterable
    {
        yield 'the first above' => ['2**63'];
        yield 'the largest of 64 bits without a sign' => ['2**64 - 1'];
        yield 'the first below' => ['-2**63 - 1'];
        yield 'a huge one' => ['3**5000'];
    }

    /** @dataProvider largeIntegers */
    public function testWithoutGmpALargerIntegerIsAReferenceToTheOriginal(string $expression): void
    {
        $code = <<<'PHP'
            $large = Specimen::made($expression);
            [$inList] = Specimen::made("[{$expression}]");

            return [
                'is a reference' => $large instanceof \Tortoise\PyObject,
                'is the original' => Specimen::is_made($large, $expression),
                'comes back' => Specimen::same($large) === $large,
                'is one in a list' => Specimen::is_made([$inList], "[{$expression}]"),
                'has the methods of int' => $large->bit_length() > 62,
            ];
            PHP;
        // Where GMP is built in, it cannot be left out.
        $found = self::evaluate("\$expression = '{$expression}';\n{$code}", ['disable_functions' => 'gmp_import']);
        self::assertCount(5, $found);
        self::assertSame([], array_keys($found, false, true));
    }

    public function testWithoutGmpALargerIntegerIsStillANumber(): void
    {
        $code = <<<'PHP'
            $large = Specimen::made('2**70');

            return [
                'class' => get_class($large),
                'text' => (string) $large,
                'JSON' => json_encode($large),
                'JSON in Python' => json_encode(Specimen::made("__import__('collections').deque([2**70])")),
                'sum' => (string) (1 + $large + 1),
                'difference' => $large - $large,
                'equal' => $large == Specimen::made('2**70'),
                'equal to another' => $large == Specimen::made('2**70 + 1'),
                'greater' => $large > PHP_INT_MAX,
                'seen' => Specimen::seen([$large, 1]),
            ];
            PHP;
        self::assertSame([
            'class' => 'Tortoise\\Python\\builtins\\int_',
            'text' => '1180591620717411303424',
            'JSON' => '"1180591620717411303424"',
            'JSON in Python' => '["1180591620717411303424"]',
            'sum' => '1180591620717411303426',
            'difference' => 0,
            'equal' => true,
            'equal to another' => false,
            'greater' => true,
            'seen' => '[1180591620717411303424, 1]',
        ], self::evaluate($code, ['disable_functions' => 'gmp_import']));
    }

    public function testTheEdgesOf64BitsAreIntegers(): void
    {
        self::assertSame(PHP_INT_MAX, Specimen::made('2**63 - 1'));
        self::assertSame(PHP_INT_MIN, Specimen::made('-2**63'));
    }

    public function testALoneSurrogateIsRefusedWithItsPlace(): void
    {
        try {
            Specimen::made('{"rows": [1, "\ud800"]}');
            self::fail('PHP got a string that Python cannot encode');
        } catch (\Tortoise\ConversionException $error) {
            self::assertStringContainsString('return value["rows"][1]', $error->getMessage());
            self::assertStringContainsString('surrogate', $error->getMessage());
        }
        $this->expectException(\Tortoise\ConversionException::class);
        Specimen::made('{"\ud800": 1}');
    }

    public function testSubclassesOfValuesKeepTheirMethods(): void
    {
        $text = Specimen::made('sys.modules[Specimen.__module__].Specimen_Text("hi")');
        self::assertInstanceOf('Specimen_Text', $text);
        self::assertSame('HI!', $text->shout());
        self::assertSame('HI', $text->upper());
        $row = Specimen::made('sys.modules[Specimen.__module__].Specimen_Row(a=1, b=2)');
        self::assertInstanceOf('Specimen_Row', $row);
        self::assertSame(3, $row->total());
        $number = Specimen::made('sys.modules[Specimen.__module__].Specimen_Number(41)');
        self::assertInstanceOf('Specimen_Number', $number);
        self::assertSame(42, $number->next());
        self::assertSame("['hi', {'a': 1, 'b': 2}, 41]", Specimen::seen([$text, $row, $number]));
    }

    public function testAResourceIsRefusedWithItsPlace(): void
    {
        $stream = fopen('php://memory', 'r');
        $this->expectException(\Tortoise\ConversionException::class);
        $this->expectExceptionMessage('args[0]["stream"]');
        Specimen::same(['stream' => $stream]);
    }
}
