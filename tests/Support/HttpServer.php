<?php

declare(strict_types=1);

namespace Tortoise\Tests\Support;

/** PHP's own web server, one process that serves one request after another. */
final class HttpServer
{
    private readonly PhpProcess $process;

    private readonly int $port;

    /**
     * @param string $script the script that answers every request, without an opening tag
     * @param array<string, string|int|float> $ini
     * @param array<string, string> $environment
     */
    public function __construct(Sandbox $sandbox, string $script, array $ini = [], array $environment = [])
    {
        $router = $sandbox->write('router.php', "<?php\n{$script}");
        $this->port = self::freePort();
        $ini += ['tortoise.path' => $sandbox->classes, 'display_errors' => '1', 'html_errors' => '0'];
        $command = [...Sandbox::phpCommand($ini), '-S', "127.0.0.1:{$this->port}", $router];
        $this->process = $sandbox->run(['sh', '-c', 'exec "$0" "$@" 2>&1', ...$command], $environment);
        while (!str_contains($this->process->readLine(), 'started')) {
        }
    }

    /** The body of the answer to a request; PHP's own messages stand in it. */
    public function get(string $query = ''): string
    {
        $this->process->drain();
        $options = ['header' => 'Connection: close', 'ignore_errors' => true, 'timeout' => 60];
        $context = stream_context_create(['http' => $options]);
        $body = file_get_contents("http://127.0.0.1:{$this->port}/?{$query}", false, $context);
        if ($body === false) {
            throw new \RuntimeException("the server did not answer: {$this->process->wait()}");
        }

        return $body;
    }

    public function pid(): int
    {
        return $this->process->pid;
    }

    public function signal(int $signal): void
    {
        $this->process->signal($signal);
    }

    private static function freePort(): int
    {
        $socket = stream_socket_server('tcp://127.0.0.1:0');
        $name = (string) stream_socket_get_name($socket, false);
        fclose($socket);

        return (int) substr((string) strrchr($name, ':'), 1);
    }
}
