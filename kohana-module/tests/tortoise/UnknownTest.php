<?php defined('SYSPATH') OR die('Kohana bootstrap needs to be included before tests run');

require_once __DIR__.'/TestCase.php';

/**
 * Names that are nobody's are answered without Python: every unknown URL asks for a controller.
 *
 * @group tortoise
 *
 * @package   Kohana/Tortoise
 * @category  Tests
 */
class Tortoise_UnknownTest extends Tortoise_TestCase {

	public function setUp(): void
	{
		parent::setUp();

		$this->write_class('application', 'Controller/Books.py', "from php import Controller\n\n\nclass Controller_Books(Controller):\n    def action_index(self): ...\n");
		$this->write_class('application', 'Foo/Qux.py', "class Foo_Qux:\n    pass\n");
	}

	public function test_an_unknown_url_does_not_even_connect()
	{
		if ( ! class_exists('Request'))
			$this->markTestSkipped('This Kohana has no requests.');

		$this->assertSame('404 404 404 false', $this->run_script('
			// Whoever connects fails
			Tortoise\configure(array("server" => "unix:///nowhere/at/all.sock"));
			foreach (array("nothing", "books2/index", "welcome2") as $uri)
			{
				try
				{
					echo Request::factory($uri)->execute()->status(), " ";
				}
				catch (HTTP_Exception_404 $e)
				{
					echo "404 ";
				}
			}
			echo json_encode(Tortoise\status()["connected"]);
		'));
	}

	public function test_the_sidecar_counts_no_call_for_an_unknown_url()
	{
		if ( ! class_exists('Request'))
			$this->markTestSkipped('This Kohana has no requests.');

		$program = $this->program();
		$address = 'unix://'.$this->folder.'t.sock';
		$this->write('application/config/tortoise.php', '<?php return array("default" => array("server" => "'.$address.'"));');

		$started = array(
			$program, 'start', '--listen='.$address, '--python='.ini_get('tortoise.python'), '--log-file='.$this->folder.'log', '--pid-file='.$this->folder.'pid',
			'--path='.$this->folder.'application/classes/:'.dirname(dirname(__DIR__)).'/python',
		);
		exec(implode(' ', array_map('escapeshellarg', $started)).' 2>&1', $output, $status);
		$this->assertSame(0, $status, implode("\n", $output));

		try
		{
			$counts = json_decode($this->run_script('
				function calls()
				{
					return json_decode(shell_exec("'.$program.' status --json --address='.$address.'"), TRUE)["calls"];
				}

				new Foo_Qux;
				$counts = array(calls());

				foreach (array("nothing", "books2/index", "welcome2") as $uri)
				{
					try { Request::factory($uri)->execute(); } catch (HTTP_Exception_404 $e) {}
				}

				$counts[] = calls();
				new Foo_Qux;
				$counts[] = calls();
				echo json_encode($counts);
			'));
		}
		finally
		{
			exec(escapeshellarg($program).' stop --address='.$address.' 2>&1', $output, $stopped);
		}

		$this->assertGreaterThan(0, $counts[0]);
		$this->assertSame($counts[0], $counts[1], 'unknown URLs made calls');
		$this->assertGreaterThan($counts[1], $counts[2], 'a call is counted');
		$this->assertSame(0, $stopped, implode("\n", $output));
	}

	public function test_classes_of_php_and_of_nobody_do_not_connect()
	{
		$this->write_class('application', 'Foo/Php.php', '<?php class Foo_Php {}');

		$this->assertSame('true false false false', $this->run_script('
			Tortoise\configure(array("server" => "unix:///nowhere/at/all.sock"));
			foreach (array("Foo_Php", "Foo_Nothing", "Foo_Qux_Nothing", "Foo") as $class)
			{
				echo json_encode(class_exists($class)), Tortoise\status()["connected"] ? "!" : "", $class === "Foo" ? "" : " ";
			}
		'));
	}

	public function test_the_python_file_is_what_connects()
	{
		$this->assertStringContainsString('/nowhere/at/all.sock', $this->run_script('
			Tortoise\configure(array("server" => "unix:///nowhere/at/all.sock"));
			try { class_exists("Foo_Qux"); } catch (Tortoise\ConnectionException $e) { echo $e->getMessage(); }
		'));
	}

}
