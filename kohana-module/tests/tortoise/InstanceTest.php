<?php defined('SYSPATH') OR die('Kohana bootstrap needs to be included before tests run');

require_once __DIR__.'/TestCase.php';

/**
 * Instances of [Tortoise]: groups of settings, modules and scripts, entries of the profiler.
 *
 * @group tortoise
 *
 * @package   Kohana/Tortoise
 * @category  Tests
 */
class Tortoise_InstanceTest extends Tortoise_TestCase {

	/**
	 * Writes config/tortoise.php of the application.
	 *
	 * @param   string  $groups  PHP
	 * @return  void
	 */
	protected function write_config($groups)
	{
		$this->write('application/config/tortoise.php', '<?php return array('.$groups.');');
	}

	public function test_modules_that_the_settings_let_in()
	{
		$this->write_config('"default" => array("modules" => array("statistics", "math"))');

		$this->assertSame('2 Tortoise\AccessException', $this->run_script('
			echo Tortoise::instance()->import("statistics")->median(array(1, 2, 10)), " ";
			try { Tortoise::instance()->import("os"); } catch (Tortoise\AccessException $e) { echo get_class($e); }
		'));
	}

	public function test_without_the_extension()
	{
		if ( ! getenv('TORTOISE_EXTENSION'))
			$this->markTestSkipped('The extension is in the php.ini.');

		$this->has_extension = FALSE;
		list($status, $output, $errors) = $this->run_process('echo "it runs";');

		$this->assertStringContainsString('needs the PHP extension tortoise', html_entity_decode($output.$errors));
		$this->assertStringNotContainsString('it runs', $output);
	}

	public function test_scripts()
	{
		$this->write('application/classes/tools/greeting.py', "def hello(name, times=1):\n    return 'hello ' * times + name\n");

		$this->assertSame('hello hello Ada', $this->run_script('
			echo Tortoise::instance()->call("tools/greeting", "hello", array("Ada", "times" => 2));
		'));
	}

	public function test_groups_of_settings()
	{
		$this->write_config('"default" => array(), "numbers" => array("modules" => array("math"), "timeout" => 5)');

		$this->assertSame('4 numbers numbers', $this->run_script('
			$tortoise = Tortoise::instance("numbers");
			echo $tortoise->import("math")->isqrt(17), " ", $tortoise, " ", Tortoise::instance();
		'));
		$this->assertStringContainsString(
			'The settings of the group numbers of config/tortoise.php cannot be used: Tortoise\configure() must come before',
			$this->run_script('
				Tortoise::instance()->begin();
				try { Tortoise::instance("numbers"); } catch (Tortoise_Exception $e) { echo $e->getMessage(); }
				echo Tortoise::instance();
			')
		);
		$this->assertSame(
			'There is no group nothing in config/tortoise.php; there are default, numbers.',
			$this->run_script('try { Tortoise::instance("nothing"); } catch (Tortoise_Exception $e) { echo $e->getMessage(); }')
		);
	}

	public function test_a_group_does_not_inherit_from_the_one_before()
	{
		$this->write_config('"default" => array("server" => "unix:///nowhere/at/all.sock"), "own" => array()');
		$this->write_class('application', 'Foo/Qux.py', "class Foo_Qux:\n    PLACE = 'reached'\n");

		$this->assertSame('reached', $this->run_script('Tortoise::instance("own"); echo Foo_Qux::PLACE;'));
	}

	public function test_after_a_failure_the_next_use_tries_again()
	{
		$this->write_config('"default" => array("server" => "unix:///nowhere/at/all.sock"), "own" => array()');
		$this->write_class('application', 'Foo/Qux.py', "import logging\n\n\nclass Foo_Qux:\n    def write(self):\n        logging.error('heard')\n");

		$this->run_script('
			try { new Foo_Qux; } catch (Tortoise\ConnectionException $e) {}
			Tortoise::instance("own");
			(new Foo_Qux)->write();
		');

		$this->assertStringContainsString('ERROR: root: heard', $this->log());
	}

	public function test_settings_that_make_no_sense_are_reported()
	{
		$this->write_config('"default" => array(), "broken" => array("timeout" => "soon")');

		$this->assertStringContainsString('tortoise.timeout is "soon"', $this->run_script('
			try { Tortoise::instance("broken"); } catch (Tortoise_Exception $e) { echo $e->getMessage(); }
		'));
	}

	public function test_further_folders()
	{
		$this->write('library/Foo/Far.py', "class Foo_Far:\n    PLACE = 'library'\n");
		$this->write_config('"default" => array("path" => array("'.$this->folder.'library"))');

		$this->assertSame('library', $this->run_script('echo Foo_Far::PLACE;'));
	}

	public function test_the_profiler()
	{
		$this->application['profile'] = TRUE;
		$this->write('application/classes/tools/greeting.py', "def hello(name):\n    return 'hello ' + name\n");
		$this->write_class('application', 'Foo/Qux.py', "class Foo_Qux:\n    def twice(self, n):\n        return n * 2\n\n    def fail(self):\n        raise ValueError('no')\n");
		$this->write_class('application', 'Foo/Bad.py', "class Foo_Bad:\n    raise ValueError('no')\n");

		$this->assertSame('14 load Foo_Qux, Foo_Qux::__construct, Foo_Qux::twice, tools/greeting hello', $this->run_script('
			$tortoise = Tortoise::instance();
			echo $tortoise->method(new Foo_Qux, "twice", array(7)), " ";
			$tortoise->call("tools/greeting", "hello", array("Ada"));
			foreach (array(function () { new Foo_Bad; }, function () use ($tortoise) { $tortoise->method(new Foo_Qux, "fail"); }) as $failure)
			{
				try { $failure(); } catch (Tortoise\Python\ValueError $e) {}
			}
			$groups = array_change_key_case(Profiler::groups());
			$entries = $groups["python (default)"];
			echo implode(", ", array_keys($entries));
			foreach ($entries as $tokens)
			{
				foreach ($tokens as $token)
				{
					if (Profiler::total($token) <= array(0, 0)) echo "?";
				}
			}
		'));
	}

	public function test_the_profiler_has_an_entry_for_each_call()
	{
		$this->application['profile'] = TRUE;
		$this->write_class('application', 'Foo/Qux.py', <<<'PYTHON'
			class Foo_Qux:
			    def __init__(self, n=1):
			        self.n = int(n)

			    def twice(self):
			        return self.n * 2

			    @staticmethod
			    def half(n):
			        return n // 2

			    def ask(self, function):
			        return function()

			    def fail(self):
			        raise ValueError('no')

			PYTHON);

		// Names and numbers of entries; none is left without an end
		$this->assertSame('6 2 4 {"load Foo_Qux":1,"Foo_Qux::__construct":1,"Foo_Qux::twice":3,"Foo_Qux::half":1,"Foo_Qux::ask":1}', $this->run_script('
			$object = new Foo_Qux(3);
			echo $object->twice(), " ", Foo_Qux::half(4), " ";
			$object->ask(function () use ($object) { return $object->twice(); });
			foreach (array(array($object, "fail"), function () { new Foo_Qux("none"); }) as $failure)
			{
				try { $failure(); } catch (Tortoise\Python\ValueError $e) {}
			}
			Kohana::$profiling = FALSE;
			$object->twice();
			Kohana::$profiling = TRUE;
			$object->n = 2;
			echo $object->twice(), " ";
			$groups = array_change_key_case(Profiler::groups());
			$entries = $groups["python (default)"];
			echo json_encode(array_map("count", $entries));
			foreach ($entries as $tokens)
			{
				foreach ($tokens as $token)
				{
					if (Profiler::total($token) <= array(0, 0)) echo "?";
				}
			}
		'));
	}

	public function test_nothing_is_profiled_unless_kohana_profiles()
	{
		$this->write_class('application', 'Foo/Qux.py', "class Foo_Qux:\n    def twice(self, n):\n        return n * 2\n");

		$this->assertSame('[]', $this->run_script('(new Foo_Qux)->twice(7); echo json_encode(array_keys(Profiler::groups()));'));
	}

}
