<?php

declare(strict_types=1);

namespace Tortoise\Tests\Values;

use Tortoise\Tests\Support\TestCase;

/** Keys of arrays that came from Python are found again, however their hashes fall together. */
final class KeysTest extends TestCase
{
    public function testEveryKeyIsFoundInArraysOfAnySize(): void
    {
        [$maps, $missing] = self::evaluate(<<<'PHP'
            $specimen = new Specimen();
            [$maps, $missing] = [0, []];
            for ($size = 1; $size <= 40; $size++) {
                for ($round = 0; $round < 10; $round++) {
                    $sent = [];
                    for ($i = 0; $i < $size; $i++) {
                        $sent[dechex(crc32("$size/$round/$i")) . 'x'] = $i;
                    }
                    // Alone, and as rows that share their keys.
                    foreach ([$specimen->same($sent), ...$specimen->same([$sent, $sent, $sent])] as $map) {
                        $maps++;
                        foreach ($sent as $key => $i) {
                            if (($map[$key] ?? null) !== $i) {
                                $missing[] = $key;
                            }
                        }
                        $map['another'] = 1;
                        unset($map[array_key_first($sent)]);
                        if (isset($map[array_key_first($sent)]) || count($map) !== $size) {
                            $missing[] = 'after a change';
                        }
                    }
                }
            }
            return [$maps, $missing];
            PHP);
        self::assertSame([1600, []], [$maps, $missing]);
    }
}
