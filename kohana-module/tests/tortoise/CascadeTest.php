<?php defined('SYSPATH') OR die('Kohana bootstrap needs to be included before tests run');

require_once __DIR__.'/TestCase.php';

/**
 * Which file a class name means, where PHP and Python both have one: the one that stands highest.
 *
 * @group tortoise
 *
 * @package   Kohana/Tortoise
 * @category  Tests
 */
class Tortoise_CascadeTest extends Tortoise_TestCase {

	/**
	 * A class file that says where it stands.
	 *
	 * @param   string  $place      `application`, or a module such as `modules/a`
	 * @param   string  $extension  `py` or `php`
	 * @return  void
	 */
	protected function place($place, $extension)
	{
		$code = array(
			'py'  => "class Foo_Qux:\n    @staticmethod\n    def place():\n        return '{$place} py'\n",
			'php' => "<?php class Foo_Qux { static function place() { return '{$place} php'; } }",
		);

		$this->write_class($place, 'Foo/Qux.'.$extension, $code[$extension]);
	}

	public function provider_precedence()
	{
		$cases = array(
			array(array('application py'), 'application py'),
			array(array('modules/a py'), 'modules/a py'),
			array(array('application py', 'modules/a php'), 'application py'),
			array(array('application php', 'modules/a py'), 'application php'),
			array(array('application py', 'application php'), 'application php'),
			array(array('modules/a py', 'modules/b php'), 'modules/a py'),
			array(array('modules/a php', 'modules/b py'), 'modules/a php'),
			array(array('modules/a py', 'modules/a php', 'modules/b py'), 'modules/a php'),
			array(array('modules/a py', 'modules/b py'), 'modules/a py'),
			array(array('application py', 'modules/a py', 'modules/b php'), 'application py'),
		);

		$provided = array();

		foreach (array(FALSE, TRUE) as $caching)
		{
			foreach ($cases as $case)
			{
				$provided[implode(', ', $case[0]).($caching ? ', cached' : '')] = array_merge($case, array($caching));
			}
		}

		return $provided;
	}

	/**
	 * @dataProvider provider_precedence
	 */
	public function test_the_highest_file_wins_and_php_wins_a_tie(array $places, $expected, $caching)
	{
		foreach (array('modules/a', 'modules/b') as $module)
		{
			mkdir($this->folder.$module.'/classes', 0777, TRUE);
		}

		foreach ($places as $place)
		{
			list($place, $extension) = explode(' ', $place);
			$this->place($place, $extension);
		}

		$this->application['caching'] = $caching;

		// Twice: the second time there is a list of files
		$this->assertSame($expected, $this->run_script('echo Foo_Qux::place();', array('a', 'b')));
		$this->assertSame($expected, $this->run_script('echo Foo_Qux::place();', array('a', 'b')));
	}

	public function test_the_order_of_modules_counts()
	{
		$this->place('modules/a', 'py');
		$this->place('modules/b', 'php');

		$this->assertSame('modules/a py', $this->run_script('echo Foo_Qux::place();', array('a', 'b')));
		$this->assertSame('modules/b php', $this->run_script('echo Foo_Qux::place();', array('b', 'a')));
	}

	public function test_a_disabled_module_is_not_searched()
	{
		$this->place('modules/a', 'py');
		$this->place('modules/b', 'php');

		$this->assertSame('modules/a py', $this->run_script('echo Foo_Qux::place();', array('a', 'b')));
		$this->assertSame('modules/b php', $this->run_script('echo Foo_Qux::place();', array('b')));
		$this->assertSame('bool(false)', trim($this->run_script("var_dump(class_exists('Foo_Qux'));")));
		$this->assertSame('modules/a py', $this->run_script('echo Foo_Qux::place();', array('a')));
	}

	public function test_a_disabled_module_is_not_searched_with_caching()
	{
		$this->application['caching'] = TRUE;
		$this->place('modules/a', 'py');
		mkdir($this->folder.'modules/b');

		$this->assertSame('modules/a py', $this->run_script('echo Foo_Qux::place();', array('a', 'b')));
		$this->assertSame('bool(false)', trim($this->run_script("var_dump(class_exists('Foo_Qux'));", array('b'))));
		$this->assertSame('modules/a py', $this->run_script('echo Foo_Qux::place();', array('a')));
	}

	public function test_modules_may_be_enabled_later_in_a_request()
	{
		$this->place('modules/a', 'py');

		$this->assertSame('no, modules/a py', $this->run_script('
			echo class_exists("Foo_Qux") ? "yes" : "no", ", ";
			Kohana::modules(Kohana::modules() + array("a" => DOCROOT."modules/a"));
			echo Foo_Qux::place();
		'));
	}

	public function test_files_that_come_and_go_are_seen_in_development()
	{
		$this->assertSame('no', $this->run_script('echo class_exists("Foo_Qux") ? "yes" : "no";'));

		$this->place('application', 'py');
		$this->assertSame('application py', $this->run_script('echo Foo_Qux::place();'));

		unlink($this->folder.$this->cased('application/classes/Foo/Qux.py'));
		$this->assertSame('no', $this->run_script('echo class_exists("Foo_Qux") ? "yes" : "no";'));
	}

	public function test_with_caching_the_list_of_files_lives_as_long_as_the_cache()
	{
		$this->application['caching'] = TRUE;
		$this->place('modules/a', 'php');
		$this->assertSame('modules/a php', $this->run_script('echo Foo_Qux::place();', array('a')));

		$this->place('application', 'py');
		$this->assertSame('modules/a php', $this->run_script('echo Foo_Qux::place();', array('a')));

		// As if the lifetime were over
		list($list) = glob($this->folder.'application/cache/tortoise-*.txt');
		$kept = unserialize(file_get_contents($list));
		$kept['time'] -= 3600;
		file_put_contents($list, serialize($kept));

		$this->assertSame('application py', $this->run_script('echo Foo_Qux::place();', array('a')));
	}

	public function test_a_list_that_is_damaged_is_made_anew()
	{
		$this->place('application', 'py');
		$this->assertSame('application py', $this->run_script('echo Foo_Qux::place();'));

		foreach (array('', 'nonsense', 'a:1:{', serialize(array('format' => 0)), serialize(7)) as $content)
		{
			list($list) = glob($this->folder.'application/cache/tortoise-*.txt');
			file_put_contents($list, $content);
			$this->assertSame('application py', $this->run_script('echo Foo_Qux::place();'));
		}
	}

	public function test_a_cache_folder_that_cannot_be_written_is_no_error()
	{
		$this->place('application', 'py');
		$this->remove($this->folder.'application/cache');
		mkdir($this->folder.'application/cache');

		$this->assertSame('application py', $this->run_script('
			Kohana::$cache_dir = "/nowhere";
			Tortoise_Autoload::refresh();
			echo Foo_Qux::place();
		'));
	}

	public function test_a_folder_that_cannot_be_read_is_no_error()
	{
		$this->place('application', 'py');
		mkdir($this->folder.'application/classes/Closed', 0000);
		symlink($this->folder.'nowhere', $this->folder.'application/classes/Lost');

		$this->assertSame('application py', $this->run_script('echo Foo_Qux::place();'));
	}

	public function test_links_that_lead_in_circles()
	{
		$this->place('application', 'py');
		$this->write_class('application', 'Other/Place.py', "class Other_Place: ...\n");
		$classes = $this->folder.'application/classes/';
		symlink($classes, $classes.'Circle');
		symlink($classes.$this->cased('Other'), $classes.$this->cased('Foo/There'));
		symlink($classes.$this->cased('Foo'), $classes.$this->cased('Other/Back'));

		$this->assertSame('application py', $this->run_script('echo Foo_Qux::place();'));

		list($list) = glob($this->folder.'application/cache/tortoise-*.txt');
		$kept = unserialize(file_get_contents($list));
		$this->assertSame(
			array('', 'foo/', 'foo/there/', 'other/', 'other/back/'),
			array_map('strtolower', array_keys($kept['folders'][$classes]))
		);
	}

	public function test_lower_case_files_count_where_kohana_looks_for_them()
	{
		$this->write('application/classes/foo/qux.py', "class Foo_Qux:\n    PLACE = 'application py'\n");
		$this->write_class('modules/a', 'Foo/Qux.php', '<?php class Foo_Qux { const PLACE = "modules/a php"; }');

		$this->assertSame(
			$this->is_lower() ? 'application py' : 'modules/a php',
			$this->run_script('echo Foo_Qux::PLACE;', array('a'))
		);
	}

	public function test_lower_case_files_count_with_the_autoloader_for_older_modules()
	{
		if ($this->is_lower())
			$this->markTestSkipped('Kohana '.Kohana::VERSION.' has one autoloader only.');

		$this->application['lowercase'] = TRUE;
		$this->write('application/classes/foo/qux.py', "class Foo_Qux:\n    PLACE = 'application py'\n");
		$this->write('modules/a/classes/foo/qux.php', '<?php class Foo_Qux { const PLACE = "modules/a php"; }');

		$this->assertSame('application py', $this->run_script('echo Foo_Qux::PLACE;', array('a')));
	}

	public function test_a_lower_case_file_in_the_way_is_reported()
	{
		if ($this->is_lower())
			$this->markTestSkipped('Kohana '.Kohana::VERSION.' looks for lower case files.');

		$this->write('application/classes/foo/qux.py', "class Foo_Qux:\n    PLACE = 'application'\n");
		$this->write('modules/a/classes/Foo/Qux.py', "class Foo_Qux:\n    PLACE = 'module'\n");

		$output = $this->run_script('try { echo Foo_Qux::PLACE; } catch (Tortoise_Exception $e) { echo $e->getMessage(); }', array('a'));

		$this->assertStringContainsString('APPPATH/classes/foo/qux.py', $output);
		$this->assertStringContainsString('Rename', $output);
	}

	public function test_namespaces_are_folders()
	{
		if ($this->is_lower())
			$this->markTestSkipped('Kohana '.Kohana::VERSION.' does not know namespaces.');

		$this->write('application/classes/App_1/Foo/Qux.py', "class Foo_Qux:\n    PLACE = 'py'\n");
		$this->write('modules/a/classes/App_1/Foo/Qux.php', '<?php namespace App_1; class Foo_Qux { const PLACE = "php"; }');

		$this->assertSame('py', $this->run_script('echo App_1\Foo_Qux::PLACE;', array('a')));
	}

}
