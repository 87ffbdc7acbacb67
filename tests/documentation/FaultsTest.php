<?php

declare(strict_types=1);

namespace Tortoise\Tests\Documentation;

use PHPUnit\Framework\TestCase;

/** docs/faults.md names a test for each fault: every one of them exists. */
final class FaultsTest extends TestCase
{
    private const ROOT = __DIR__ . '/../..';

    /** What stands in front of the name of a test, in files of this kind. */
    private const DECLARATIONS = ['php' => 'public function ', 'rs' => 'fn ', 'py' => 'def '];

    public function testEveryTestOfThePageExists(): void
    {
        $sources = self::sources();
        $rows = preg_grep('/^\| (?!Fault )/', (array) file(self::ROOT . '/docs/faults.md', \FILE_IGNORE_NEW_LINES));
        self::assertNotEmpty($rows);
        foreach ($rows as $row) {
            $cells = explode('|', $row);
            self::assertCount(5, $cells, $row);
            preg_match_all('/`([\w.]+)::(\w+)`/', $cells[3], $tests, \PREG_SET_ORDER);
            self::assertNotEmpty($tests, "no test shows this: {$row}");
            foreach ($tests as [$reference, $file, $name]) {
                $file = str_contains($file, '.') ? $file : "{$file}.php";
                $declaration = self::DECLARATIONS[pathinfo($file, \PATHINFO_EXTENSION)] . "{$name}(";
                self::assertTrue(str_contains($sources[$file] ?? '', $declaration), "there is no test {$reference}");
            }
        }
    }

    /** @return array<string, string> all that stands in the test files of a name, by the name */
    private static function sources(): array
    {
        $sources = [];
        foreach (['tests', 'crates'] as $folder) {
            foreach (new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator(self::ROOT . "/{$folder}")) as $file) {
                if (isset(self::DECLARATIONS[$file->getExtension()])) {
                    $sources[$file->getFilename()] ??= '';
                    $sources[$file->getFilename()] .= file_get_contents($file->getPathname());
                }
            }
        }

        return $sources;
    }
}
