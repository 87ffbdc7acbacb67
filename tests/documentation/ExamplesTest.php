<?php

declare(strict_types=1);

namespace Tortoise\Tests\Documentation;

use Tortoise\Tests\Support\Python;
use Tortoise\Tests\Support\TestCase;

/**
 * Every example of the pages in docs/ does what the page says.
 *
 * A block marked `python` whose first line is `# classes/…` is a class file for all examples behind it. A block marked
 * `php` is run, and the block marked `text` behind it is its output.
 */
final class ExamplesTest extends TestCase
{
    private const PAGES = ['objects.md', 'both-ways.md', 'deadlines.md', 'shared.md'];

    /** @return iterable<string, array{array<string, string>, string, string}> Class files, PHP code, output */
    public static function examples(): iterable
    {
        foreach (self::PAGES as $page) {
            $text = (string) file_get_contents(\dirname(__DIR__, 2) . "/docs/{$page}");
            preg_match_all('/^```(python|php|text)\n(.*?)^```$/ms', $text, $blocks, PREG_SET_ORDER | PREG_OFFSET_CAPTURE);
            $files = [];
            foreach ($blocks as $at => [, [$language, $offset], [$content]]) {
                if ($language === 'python' && preg_match('~^# classes/(\S+)\n~', $content, $name)) {
                    $files[$name[1]] = $content;
                }
                if ($language === 'php') {
                    $line = substr_count($text, "\n", 0, $offset) + 1;
                    $behind = $blocks[$at + 1] ?? null;
                    yield "{$page}:{$line}" => [$files, $content, $behind !== null && $behind[1][0] === 'text' ? $behind[2][0] : ''];
                }
            }
        }
    }

    /**
     * @dataProvider examples
     *
     * @param array<string, string> $files
     */
    public function testAnExampleDoesWhatThePageSays(array $files, string $code, string $output): void
    {
        $ini = ['tortoise.modules' => '*'];
        if (str_contains($code, 'numpy')) {
            $ini['tortoise.python'] = Python::withNumpy() ?? self::markTestSkipped('numpy is absent here; set TORTOISE_NUMPY_PYTHON.');
        }
        $result = self::php($code, $ini, $files);
        self::assertSame(rtrim($output), rtrim($result->cleanOutput()));
    }

    public function testThePagesHaveExamples(): void
    {
        self::assertGreaterThan(15, iterator_count(self::examples()));
    }
}
