<?php

declare(strict_types=1);

namespace Tortoise\Tests\Protocols;

use Tortoise\Tests\Support\Python;
use Tortoise\Tests\Support\TestCase;

/** numpy's arrays: slices, broadcasting, comparison, JSON. */
final class NumpyTest extends TestCase
{
    private const ABSENT = 'numpy is absent here; set TORTOISE_NUMPY_PYTHON to a Python that has it.';

    private string $python;

    protected function setUp(): void
    {
        $this->python = Python::withNumpy() ?? self::markTestSkipped(self::ABSENT);
    }

    private function numpy(string $code): mixed
    {
        return self::evaluate($code, ['tortoise.python' => $this->python]);
    }

    public function testItemsSlicesAndBroadcasting(): void
    {
        self::assertSame([30, [2, 3], 5, 3, [[4, 5]], [[0, 3], [1, 4]], 2, 15, 'index 9 is out of bounds for axis 0 with size 2'], $this->numpy(<<<'PHP'
            $array = Grid::arange(6);
            $grid = $array->reshape(2, 3);
            $sum = ($grid * 2)->sum();
            try {
                $grid[9];
            } catch (Tortoise\Python\IndexError $error) {
            }
            $zeros = Grid::zeros(2, 2);
            $zeros[0] = [1, 2];
            $zeros[1][0] = 12;
            return [
                (int) $sum, [count($grid), count($grid[0])], (int) $array[5], (int) $array['-3:'][0],
                json_decode(json_encode($grid[[Tortoise\slice(1, 2), Tortoise\slice(1)]])), json_decode(json_encode($grid['0:2']->T['0:2'])), count($array['1:3']),
                (int) $zeros->sum(), $error->getMessage(),
            ];
            PHP));
    }

    public function testArithmeticOnEitherSide(): void
    {
        self::assertSame([[2, 3, 4], [10, 9, 8], [0, 1, 4], [0, -1, -2], [0.0, 0.5, 1.0], [1, 2, 4], [-1, -2, -3], [1, 1, 3]], $this->numpy(<<<'PHP'
            $array = Grid::arange(3);
            $json = static fn($value) => json_decode(json_encode($value, JSON_PRESERVE_ZERO_FRACTION));
            return array_map($json, [$array + 2, 10 - $array, $array ** 2, -$array, $array / 2, 1 << $array, ~$array, $array | 1]);
            PHP));
    }

    public function testAnArrayOfTruthValuesIsNoTruthValue(): void
    {
        [$messages, $equal, $implements] = $this->numpy(<<<'PHP'
            $array = Grid::arange(3);
            $messages = [];
            foreach ([fn() => $array == 1, fn() => $array < 5, fn() => [1] == Grid::arange(1), fn() => $array == Grid::arange(3)] as $compare) {
                try {
                    $compare();
                } catch (TypeError $error) {
                    $messages[] = $error->getMessage();
                }
            }
            return [
                $messages, [Grid::array_equal($array, [0, 1, 2]), $array == $array],
                array_map(fn($interface) => $array instanceof $interface, [Countable::class, ArrayAccess::class, IteratorAggregate::class, Stringable::class, JsonSerializable::class]),
            ];
            PHP);
        self::assertCount(4, $messages);
        self::assertStringContainsString('comparing ndarray with int gives ndarray, a truth value for each element', $messages[0]);
        self::assertSame([[true, true], [true, true, true, true, true]], [$equal, $implements]);
    }
}
