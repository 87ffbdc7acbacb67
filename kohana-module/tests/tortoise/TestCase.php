<?php defined('SYSPATH') OR die('Kohana bootstrap needs to be included before tests run');
/**
 * Runs scripts in a Kohana application of the test's own, in a PHP process of its own.
 *
 *     $this->write('application/classes/Foo/Bar.py', 'class Foo_Bar: ...');
 *     $this->assertSame('8', $this->run_script('echo (new Foo_Bar(4))->twice();'));
 *
 * The application lies in a temporary folder, beside folders of modules. Its Kohana is the one that runs the tests.
 *
 * @package   Kohana/Tortoise
 * @category  Tests
 */
abstract class Tortoise_TestCase extends Unittest_TestCase {

	/**
	 * @var  string  folder of the test, with a separator at its end
	 */
	protected $folder;

	/**
	 * @var  boolean  whether the application's PHP loads the extension
	 */
	protected $has_extension = TRUE;

	/**
	 * @var  array  settings of the application that the test changes
	 */
	protected $application = array();

	public function setUp(): void
	{
		parent::setUp();

		$this->folder = sys_get_temp_dir().'/tortoise-kohana-'.bin2hex(random_bytes(5)).'/';
		$this->application = array();

		foreach (array('application/cache', 'application/logs', 'application/classes') as $name)
		{
			mkdir($this->folder.$name, 0777, TRUE);
		}
	}

	public function tearDown(): void
	{
		if ($this->hasFailed() AND $log = $this->log())
		{
			fwrite(STDERR, "\nthe application's log at the failure of {$this->toString()}:\n{$log}\n");
		}

		$this->remove(rtrim($this->folder, '/'));

		parent::tearDown();
	}

	/**
	 * Whether class files of this Kohana are in lower case.
	 *
	 * @return  boolean
	 */
	protected function is_lower()
	{
		return version_compare(Kohana::VERSION, '3.3', '<');
	}

	/**
	 * A path of a class file as this Kohana has it: in lower case in Kohana 3.2.
	 *
	 * @param   string  $path  such as `Foo/Bar.php`
	 * @return  string
	 */
	protected function cased($path)
	{
		return $this->is_lower() ? strtolower($path) : $path;
	}

	/**
	 * Writes a file below the test's folder.
	 *
	 * @param   string  $file     such as `application/classes/Foo/Bar.py`
	 * @param   string  $content
	 * @return  string  its path
	 */
	protected function write($file, $content)
	{
		$path = $this->folder.$file;

		if ( ! is_dir(dirname($path)))
		{
			mkdir(dirname($path), 0777, TRUE);
		}

		file_put_contents($path, $content);

		return $path;
	}

	/**
	 * Writes a class file, in the case that this Kohana looks for.
	 *
	 * @param   string  $place    `application`, or a module such as `modules/a`
	 * @param   string  $file     such as `Foo/Bar.py`
	 * @param   string  $content
	 * @return  string  its path
	 */
	protected function write_class($place, $file, $content)
	{
		return $this->write($place.'/classes/'.$this->cased($file), $content);
	}

	/**
	 * Runs a script in the application, to its end. It must end well.
	 *
	 * @param   string  $code       PHP without an opening tag
	 * @param   array   $modules    names of modules below `modules/` of the test's folder, behind the one under test
	 * @param   array   $arguments  command line arguments
	 * @return  string  what it wrote
	 */
	protected function run_script($code, array $modules = array(), array $arguments = array())
	{
		list($status, $output, $errors) = $this->run_process($code, $modules, $arguments);

		// Of an error page only the beginning is of interest
		$shown = substr(trim(preg_replace('/\s*\n\s*/', "\n", strip_tags(preg_replace('~<(style|script).*?</\1>~s', '', $output)))), 0, 2000);

		$this->assertSame(array(0, ''), array($status, $errors), "the script ended badly; its output:\n{$shown}");

		return $output;
	}

	/**
	 * Runs a script in the application, to its end.
	 *
	 * @param   string  $code
	 * @param   array   $modules
	 * @param   array   $arguments
	 * @return  array   exit status, output, errors
	 */
	protected function run_process($code, array $modules = array(), array $arguments = array())
	{
		$this->prepare($code, $modules);

		$process = proc_open(
			array_merge($this->command(), array($this->boot()), $arguments),
			array(array('file', '/dev/null', 'r'), array('file', $this->folder.'output', 'w'), array('file', $this->folder.'errors', 'w')),
			$pipes,
			$this->folder,
			$this->environment()
		);
		$status = proc_close($process);

		return array($status, file_get_contents($this->folder.'output'), file_get_contents($this->folder.'errors'));
	}

	/**
	 * Writes down what the application is for boot.php.
	 *
	 * @param   string  $code
	 * @param   array   $modules
	 * @return  void
	 */
	protected function prepare($code, array $modules = array())
	{
		$paths = array('tortoise' => dirname(dirname(__DIR__)));

		foreach ($modules as $module)
		{
			$paths[$module] = is_dir($this->folder.'modules/'.$module) ? $this->folder.'modules/'.$module : MODPATH.$module;
		}

		$this->write('application.json', json_encode($this->application + array(
			'docroot'   => $this->folder,
			'apppath'   => $this->folder.'application/',
			'modpath'   => MODPATH,
			'syspath'   => SYSPATH,
			'caching'   => FALSE,
			'profile'   => FALSE,
			'errors'    => TRUE,
			'lowercase' => FALSE,
			'modules'   => $paths,
			'script'    => $this->write('script.php', "<?php\n".$code),
		)));
	}

	/**
	 * The PHP that runs the tests, with the extension if that is not in its php.ini.
	 *
	 * @return  array
	 */
	protected function command()
	{
		$command = array(PHP_BINARY);

		if ($this->has_extension AND $extension = getenv('TORTOISE_EXTENSION'))
		{
			$command = array_merge($command, array('-d', 'extension='.$extension, '-d', 'tortoise.python='.ini_get('tortoise.python')));
		}

		return $command;
	}

	/**
	 * The file that boots the application.
	 *
	 * @return  string
	 */
	protected function boot()
	{
		return dirname(__DIR__).'/test_data/tortoise/boot.php';
	}

	/**
	 * What the process needs, and nothing else: the error page shows it all.
	 *
	 * @return  array
	 */
	protected function environment()
	{
		return array('TORTOISE_TEST_APPLICATION' => $this->folder.'application.json')
			+ array_intersect_key(getenv(), array_flip(array('PATH', 'HOME', 'TMPDIR', 'XDG_RUNTIME_DIR')));
	}

	/**
	 * The program `tortoise` of the build that runs the tests. Without its commands for a sidecar that runs, the test
	 * is skipped.
	 *
	 * @return  string
	 */
	protected function program()
	{
		$program = dirname((string) getenv('TORTOISE_EXTENSION')).'/bin/tortoise';

		if ( ! is_file($program) OR strpos((string) shell_exec(escapeshellarg($program).' --help'), ' status ') === FALSE)
			$this->markTestSkipped('There is no program tortoise with commands for a sidecar that runs.');

		return $program;
	}

	/**
	 * What the application has logged.
	 *
	 * @return  string
	 */
	protected function log()
	{
		return implode('', array_map('file_get_contents', (array) glob($this->folder.'application/logs/*/*/*.php')));
	}

	/**
	 * Removes a file or a folder.
	 *
	 * @param   string  $path
	 * @return  void
	 */
	protected function remove($path)
	{
		if (is_dir($path) AND ! is_link($path))
		{
			foreach (array_diff(scandir($path), array('.', '..')) as $name)
			{
				$this->remove($path.'/'.$name);
			}

			rmdir($path);
		}
		else
		{
			unlink($path);
		}
	}

}
