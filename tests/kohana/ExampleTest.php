<?php

declare(strict_types=1);

use PHPUnit\Framework\TestCase;
use Tortoise\Tests\Support\PhpProcess;

/** The application of examples/kohana, as `make demo-kohana` serves it, and its task. */
final class ExampleTest extends TestCase
{
    private static ?PhpProcess $server = null;

    private static string $address;

    public static function setUpBeforeClass(): void
    {
        if (!is_file(SYSPATH . 'classes/Kohana/Request.php')) {
            self::markTestSkipped('The example needs a Kohana 3.3: KOHANA_DIR names none.');
        }
        $socket = stream_socket_server('tcp://127.0.0.1:0');
        self::$address = (string) stream_socket_get_name($socket, false);
        fclose($socket);
        // The server writes to its standard error.
        $command = ['sh', '-c', 'exec "$0" "$@" 2>&1', ...self::php(), '-S', self::$address, self::script()];
        self::$server = new PhpProcess($command, '/', self::environment());
        while (!str_contains(self::$server->readLine(), 'started')) {
        }
    }

    public static function tearDownAfterClass(): void
    {
        self::$server?->kill();
        self::$server = null;
    }

    public function testTheControllerShowsWhatTheModelFinds(): void
    {
        self::assertStringContainsString('7 books, found', self::get('books/index')[1]);
        [$status, $page] = self::get('books/index?title=mansfeld+parc');
        self::assertSame(200, $status);
        self::assertStringContainsString('1 books, found', $page);
        self::assertStringContainsString('Mansfield Park', $page);
    }

    public function testAPhpControllerUsesAPythonHelper(): void
    {
        $page = self::get('readability?text=' . rawurlencode('The cat sat. The dog sat.'))[1];

        self::assertStringContainsString('Reading ease: <b>119.2</b>', $page);
        self::assertMatchesRegularExpression('/the × 2;\s+sat × 2;\s+cat × 1;/', $page);
    }

    public function testAnUnknownBookIsA404WithThePythonSource(): void
    {
        [$status, $page] = self::get('books/show/99');

        self::assertSame(404, $status);
        self::assertStringContainsString('There is no book 99.', $page);
        self::assertMatchesRegularExpression('~<span class="line highlight">.*raise kohana\.HTTPException\(404~', $page);
    }

    public function testAnErrorShowsThePythonSource(): void
    {
        [$status, $page] = self::get('books/fail');

        self::assertSame(500, $status);
        self::assertStringContainsString('nobody reads 7 books in 0 days', $page);
        self::assertMatchesRegularExpression('~<span class="line highlight">.*raise ValueError\(~', $page);
        self::assertStringContainsString('APPPATH/classes/Model/Book.py', $page);
    }

    public function testRulesAndCallbacksOfAForm(): void
    {
        $page = self::get('books/add', ['title' => '', 'isbn' => '9780141439518'])[1];
        self::assertStringContainsString('title must not be empty', $page);
        self::assertStringContainsString('there is a book of this ISBN already', $page);

        $page = self::get('books/add', ['title' => 'Emma', 'isbn' => '123'])[1];
        self::assertStringContainsString('123 is not an ISBN of 13 digits', $page);

        [$status, , $headers] = self::get('books/add', ['title' => 'Emma', 'isbn' => '9780141439587']);
        self::assertSame(302, $status);
        self::assertStringContainsString('/books/index', implode("\n", preg_grep('/^Location:/i', $headers)));
    }

    public function testTheTask(): void
    {
        if (!is_dir(MODPATH . 'minion/classes')) {
            self::markTestSkipped('This Kohana has no Minion.');
        }
        $arguments = ['--task=books:search', '--title=pride and prejudise', '--most=1'];
        $task = (new PhpProcess([...self::php(), self::script(), ...$arguments], '/', self::environment()))->wait();

        self::assertSame('', $task->errors);
        self::assertSame("Pride and Prejudice (Jane Austen, 480 pages)\n", $task->output);
        self::assertSame(0, $task->exitCode);
    }

    /**
     * @param ?array<string, string> $form
     * @return array{int, string, list<string>} status, body, headers
     */
    private static function get(string $uri, ?array $form = null): array
    {
        $options = ['ignore_errors' => true, 'follow_location' => 0, 'timeout' => 30, 'header' => ['Connection: close']];
        if ($form !== null) {
            $options['method'] = 'POST';
            $options['header'][] = 'Content-Type: application/x-www-form-urlencoded';
            $options['content'] = http_build_query($form);
        }
        $address = self::$address;
        $body = file_get_contents("http://{$address}/{$uri}", false, stream_context_create(['http' => $options]));
        self::$server?->drain();

        return [(int) explode(' ', $http_response_header[0])[1], (string) $body, $http_response_header];
    }

    /** @return list<string> */
    private static function php(): array
    {
        $extension = (string) getenv('TORTOISE_EXTENSION');

        return [PHP_BINARY, '-d', "extension={$extension}", '-d', 'tortoise.python=' . ini_get('tortoise.python')];
    }

    private static function script(): string
    {
        return dirname(__DIR__, 2) . '/examples/kohana/index.php';
    }

    /** @return array<string, string> */
    private static function environment(): array
    {
        $needed = array_intersect_key(getenv(), array_flip(['PATH', 'HOME', 'TMPDIR', 'XDG_RUNTIME_DIR']));

        return $needed + ['KOHANA_DIR' => dirname(SYSPATH)];
    }
}
