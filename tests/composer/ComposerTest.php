<?php

declare(strict_types=1);

namespace Tortoise\Tests\Composer;

use Tortoise\Tests\Support\PhpProcess;
use Tortoise\Tests\Support\ProcessResult;
use Tortoise\Tests\Support\TestCase;

/** A Composer project with Python classes: the one of docs/composer.md, and what is refused. */
final class ComposerTest extends TestCase
{
    private const PACKAGE = __DIR__ . '/../../php';

    public function testTheProjectOfThePageDoesWhatThePageSays(): void
    {
        $page = (string) file_get_contents(__DIR__ . '/../../docs/composer.md');
        preg_match_all('/^```(json|python|php|text)\n(.*?)^```$/ms', $page, $blocks, PREG_SET_ORDER);
        $output = '';
        foreach ($blocks as [, $language, $content]) {
            if ($language === 'json') {
                $this->writeProject(json_decode($content, true, 8, JSON_THROW_ON_ERROR));
            } elseif ($language === 'text') {
                $output = $content;
            } else {
                self::assertSame(1, preg_match('~^(?:#|//) (\S+)\n~', $content, $name), $content);
                self::sandbox()->write("project/{$name[1]}", ($language === 'php' ? "<?php\n" : '') . $content);
            }
        }
        $this->install();

        self::assertNotSame('', $output);
        self::assertSame($output, $this->runInProject('require "report.php";')->cleanOutput());
    }

    public function testSeveralRootsAreSearchedInTheirOrder(): void
    {
        $this->writeProject(['extra' => ['tortoise' => ['path' => ['first', 'second']]]]);
        self::sandbox()->write('project/first/Foo.py', "class Foo:\n    PLACE = 'first'\n");
        self::sandbox()->write('project/second/Foo.py', "class Foo:\n    PLACE = 'second'\n");
        self::sandbox()->write('project/second/Bar.py', "class Bar:\n    PLACE = 'second'\n");
        $this->install();

        self::assertSame('first second', $this->runInProject('echo Foo::PLACE, " ", Bar::PLACE;')->cleanOutput());
    }

    public function testAProjectWithoutRootsHasNone(): void
    {
        $this->writeProject([]);
        $this->install();

        self::assertSame('bool(false)', trim($this->runInProject('var_dump(class_exists("Foo"));')->cleanOutput()));
    }

    public function testWhatIsNoFolderIsRefused(): void
    {
        $this->writeProject(['extra' => ['tortoise' => ['path' => 'nowhere']]]);
        $this->install();
        self::assertStringContainsString('/nowhere is not a folder', (string) $this->runInProject(''));

        $this->writeProject(['extra' => ['tortoise' => ['path' => ['prefix' => 'python']]]]);
        self::assertStringContainsString('must be a folder or a list of folders', (string) $this->runInProject(''));
    }

    public function testExchangeGivesTexts(): void
    {
        $this->writeProject(['extra' => ['tortoise' => ['path' => 'python']]]);
        self::sandbox()->write('project/python/tools/show.py', "def show(*values, **named):\n    return repr((values, named))\n");
        $this->install();

        $code = 'echo Tortoise\exchange("tools/show", "show", [1, 2.5, true, null, [1], "k" => 7]), Tortoise\exchange("tools/show", "show");';
        self::assertSame("(('1', '2.5', '1', None, [1]), {'k': '7'})((), {})", $this->runInProject($code)->cleanOutput());
    }

    /** @param array<string, mixed> $settings of composer.json */
    private function writeProject(array $settings): void
    {
        $settings['require'] = ['tortoise/tortoise' => '*@dev'];
        $settings['repositories'] = [
            ['type' => 'path', 'url' => realpath(self::PACKAGE), 'options' => ['symlink' => false]],
            ['packagist.org' => false],
        ];
        self::sandbox()->write('project/composer.json', json_encode($settings, JSON_THROW_ON_ERROR));
    }

    private function install(): void
    {
        exec('command -v composer', $found, $status);
        if ($status !== 0) {
            self::markTestSkipped('Composer is absent here.');
        }
        $command = [$found[0], 'install', '--no-interaction', '--quiet', '--ignore-platform-req=ext-tortoise'];
        $environment = [
            'COMPOSER_HOME' => self::sandbox()->path('composer'),
            'COMPOSER_ALLOW_SUPERUSER' => '1',
            'COMPOSER_DISABLE_NETWORK' => '1',
            'COMPOSER_ROOT_VERSION' => '1.0.0',
        ];
        $installed = (new PhpProcess($command, self::sandbox()->path('project'), $environment + getenv()))->wait();
        self::assertSame(0, $installed->exitCode, (string) $installed);
    }

    private function runInProject(string $code): ProcessResult
    {
        $project = self::sandbox()->path('project');

        return self::php("chdir('{$project}');\nrequire 'vendor/autoload.php';\n{$code}", ['tortoise.path' => '']);
    }
}
