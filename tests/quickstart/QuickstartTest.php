<?php

declare(strict_types=1);

namespace Tortoise\Tests\Quickstart;

use Tortoise\Tests\Support\HttpServer;
use Tortoise\Tests\Support\TestCase;

/** What `make demo` and `make demo-page` show is what README.md says. */
final class QuickstartTest extends TestCase
{
    private const HOME = __DIR__ . '/../../examples/quickstart';

    private const INI = ['tortoise.path' => self::HOME . '/classes'];

    public function testTheScriptShowsWhatTheReadmeShows(): void
    {
        $output = self::php(self::script('demo.php'), self::INI)->cleanOutput();
        // The README leaves out where the project lies.
        $output = str_replace(self::HOME . '/', 'examples/quickstart/', $output);
        $readme = (string) file_get_contents(__DIR__ . '/../../README.md');
        preg_match_all('/```text\n(?=7 of|    Tortoise)(.*?)```/s', $readme, $shown);

        self::assertCount(2, $shown[1], 'the README shows the table and the error');
        foreach ($shown[1] as $block) {
            self::assertStringContainsString($block, $output);
        }
    }

    public function testThePageComparesTheLicencesThatTheFormNames(): void
    {
        $server = new HttpServer(self::sandbox(), self::script('index.php'), self::INI);

        self::assertStringContainsString('sections of GPL-3 go back', self::words($server->get()));
        self::assertStringContainsString('sections of LGPL-3 go back', self::words($server->get('newer=LGPL-3')));
    }

    public function testThePageShowsAPythonErrorWithItsSource(): void
    {
        $server = new HttpServer(self::sandbox(), self::script('index.php'), self::INI);
        $page = self::words($server->get('newer=%3CGPL-4%3E'));

        self::assertStringContainsString('<h2>LookupError</h2> <p>there is no licence &lt;GPL-4&gt; in', $page);
        self::assertStringContainsString('raise LookupError(', $page);
        self::assertStringContainsString('<h2>KeyError</h2>', $page);
        self::assertStringNotContainsString('Warning', $page);
    }

    private static function script(string $file): string
    {
        return 'require ' . var_export(self::HOME . '/' . $file, true) . ';';
    }

    private static function words(string $page): string
    {
        return (string) preg_replace('/\s+/', ' ', $page);
    }
}
