<?php

declare(strict_types=1);

namespace Tortoise\Tests\StandardLibrary;

use Tortoise\Tests\Support\PhpProcess;
use Tortoise\Tests\Support\Python;
use Tortoise\Tests\Support\TestCase;

/** Every public class of libraries that nobody wrote for PHP is a PHP class. */
final class StandardLibraryTest extends TestCase
{
    private const MODULES = [
        'abc', 'argparse', 'array', 'ast', 'asyncio', 'bdb', 'builtins', 'bz2', 'calendar', 'cmd', 'code', 'codecs', 'collections',
        'collections.abc', 'concurrent.futures', 'configparser', 'contextlib', 'csv', 'ctypes', 'dataclasses', 'datetime', 'decimal',
        'difflib', 'doctest', 'email.message', 'email.mime.text', 'email.parser', 'enum', 'filecmp', 'fileinput', 'fractions', 'ftplib',
        'functools', 'gettext', 'graphlib', 'gzip', 'html.parser', 'http.client', 'http.cookiejar', 'http.cookies', 'http.server', 'imaplib',
        'importlib.abc', 'importlib.machinery', 'inspect', 'io', 'ipaddress', 'itertools', 'json', 'logging', 'logging.handlers', 'lzma',
        'mailbox', 'mimetypes', 'multiprocessing', 'multiprocessing.pool', 'numbers', 'operator', 'optparse', 'os', 'pathlib', 'pdb', 'pickle',
        'pickletools', 'plistlib', 'poplib', 'pprint', 'profile', 'queue', 'random', 're', 'reprlib', 'sched', 'selectors', 'shelve', 'shlex',
        'smtplib', 'socket', 'socketserver', 'sqlite3', 'ssl', 'statistics', 'string', 'struct', 'subprocess', 'symtable', 'tarfile', 'tempfile',
        'textwrap', 'threading', 'timeit', 'tokenize', 'trace', 'traceback', 'tracemalloc', 'types', 'typing', 'unittest', 'unittest.mock',
        'urllib.error', 'urllib.parse', 'urllib.request', 'urllib.robotparser', 'uuid', 'venv', 'warnings', 'wave', 'weakref', 'wsgiref.handlers',
        'xml.dom.minidom', 'xml.etree.ElementTree', 'xml.sax', 'xmlrpc.client', 'zipfile', 'zoneinfo',
    ];

    private const NUMPY = [
        'numpy', 'numpy.exceptions', 'numpy.lib.npyio', 'numpy.linalg', 'numpy.ma', 'numpy.polynomial', 'numpy.random', 'numpy.testing', 'numpy.typing',
    ];

    public function testEveryPublicClassOfTheStandardLibraryIsAPhpClass(): void
    {
        [$modules, $classes] = self::synthesizeAll('the standard library', (string) getenv('TORTOISE_PYTHON'), self::MODULES);

        self::assertGreaterThanOrEqual(50, $modules);
        self::assertGreaterThan(1000, $classes);
    }

    public function testEveryPublicClassOfNumpyIsAPhpClass(): void
    {
        $python = Python::withNumpy()
            ?? self::markTestSkipped('numpy is absent here; set TORTOISE_NUMPY_PYTHON to a Python that has it.');
        $version = (new PhpProcess([$python, '-c', 'import numpy; print(numpy.__version__)'], '/', getenv()))->wait();
        [, $classes] = self::synthesizeAll('numpy ' . trim($version->output), $python, self::NUMPY);
        self::assertGreaterThan(50, $classes);
    }

    /**
     * @param list<string> $modules
     *
     * @return array{int, int} how many modules there were, and how many classes
     */
    private static function synthesizeAll(string $what, string $python, array $modules): array
    {
        $made = (new PhpProcess([$python, __DIR__ . '/reexport.py', self::sandbox()->classes, ...$modules], '/', getenv()))->wait();
        $list = self::sandbox()->write('classes.jsonl', $made->cleanOutput());
        $result = self::php(self::DECLARE_ALL . "report('{$list}');", ini: ['tortoise.python' => $python, 'memory_limit' => '512M']);
        $facts = json_decode($result->cleanOutput(), true, 512, JSON_THROW_ON_ERROR);
        fwrite(\STDERR, vsprintf("\n%s: %d modules, %d names of %d PHP classes; %d methods were widened, %d names changed, "
            . "%d members are undeclared, %d bases are no PHP parents\n", [
            $what, $facts['modules'], $facts['names'], $facts['classes'], $facts['widened'], $facts['renamed'], $facts['undeclared'], $facts['lost_bases'],
        ]));

        self::assertSame([], $facts['failed']);
        self::assertSame([], $facts['lackMethods']);
        self::assertSame(0, $facts['objects'], 'nothing was constructed');

        return [$facts['modules'], $facts['names']];
    }

    /** Runs in the PHP that synthesizes. */
    private const DECLARE_ALL = <<<'PHP'
        set_error_handler(function ($level, $message, $file, $line) {
            throw new ErrorException($message, 0, $level, $file, $line);
        });

        function report(string $list): void
        {
            $failed = $lackMethods = $modules = [];
            $names = 0;
            foreach (file($list, FILE_IGNORE_NEW_LINES) as $line) {
                $wanted = json_decode($line, true);
                $modules[$wanted['module']] = true;
                $names++;
                try {
                    if (!class_exists($wanted['php'])) {
                        throw new LogicException('it is no PHP class');
                    }
                    $class = new ReflectionClass($wanted['php']);
                    // Has PHP look at every default and constant.
                    (string) $class;
                    if ($class->isSubclassOf('Throwable') !== $wanted['isException'] || !$class->implementsInterface('Tortoise\Remote')) {
                        throw new LogicException('its parents are wrong: ' . implode(', ', class_parents($wanted['php'])));
                    }
                    foreach ($wanted['methods'] as $method) {
                        if (!$class->hasMethod($method)) {
                            $lackMethods[] = "{$wanted['python']}.{$method}";
                        }
                    }
                } catch (Throwable $error) {
                    $failed[] = "{$wanted['python']}: " . get_class($error) . ': ' . $error->getMessage();
                }
            }
            echo json_encode(['failed' => $failed, 'lackMethods' => $lackMethods, 'names' => $names, 'modules' => count($modules)] + Tortoise\status());
        }

        PHP;
}
