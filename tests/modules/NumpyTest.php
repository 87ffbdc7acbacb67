<?php

declare(strict_types=1);

namespace Tortoise\Tests\Modules;

use Tortoise\Tests\Support\Python;
use Tortoise\Tests\Support\TestCase;

/** A large package that nobody wrote for PHP. */
final class NumpyTest extends TestCase
{
    public function testItsModulesFunctionsAndClasses(): void
    {
        $facts = self::evaluate(<<<'PHP'
            $np = Tortoise\import('numpy');
            $plain = fn($value) => is_object($value) ? $value->item() : $value;
            return [
                $plain(($np->arange(6)->reshape(2, 3))->sum()), $np->pi === M_PI, Tortoise\import('numpy.linalg') === $np->linalg,
                $plain($np->linalg->norm([3.0, 4.0])), $plain(($np->float32)(1.5)), $plain($np->float64(2.5)),
                get_class($np->random->default_rng(1)), $np->zeros([2, 2], dtype: $np->int8)->tolist(), is_callable([$np, 'arange']), isset($np->absent),
            ];
            PHP, ['tortoise.python' => self::python(), 'tortoise.modules' => 'numpy']);

        self::assertSame([15, true, true, 5.0, 1.5, 2.5, 'Tortoise\Python\numpy\random\_generator\Generator', [[0, 0], [0, 0]], true, false], $facts);
    }

    private static function python(): string
    {
        return Python::withNumpy()
            ?? self::markTestSkipped('numpy is absent here; set TORTOISE_NUMPY_PYTHON to a Python that has it.');
    }
}
