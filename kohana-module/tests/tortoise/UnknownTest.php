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
