<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * Python classes among the application's own.
 *
 * A class below `classes/` may be a Python file. It is used like any other, and needs nothing of this class:
 *
 *     // application/classes/Text/Reader.py
 *     $words = Text_Reader::factory($text)->words();
 *
 * Modules and scripts are reached by an instance, which stands for a group of settings of `config/tortoise.php`:
 *
 *     $median = Tortoise::instance()->import('statistics')->median(array(1, 2, 10));
 *
 * @package   Kohana/Tortoise
 * @category  Base
 */
class Kohana_Tortoise {

	/**
	 * @var  string  default instance name
	 */
	public static $default = 'default';

	/**
	 * @var  array  instances by their names
	 */
	public static $instances = array();

	/**
	 * @var  string  name of the group whose settings are in force
	 */
	protected static $_group;

	/**
	 * @var  boolean  whether the session was made ready for this request
	 */
	protected static $_has_begun = FALSE;

	/**
	 * @var  array  folders of the cascading filesystem that hold Python classes
	 */
	protected static $_roots = array();

	/**
	 * @var  array  folders of `tortoise.path` in php.ini
	 */
	protected static $_path = array();

	/**
	 * Makes Python classes known to Kohana. The module's init.php calls it.
	 *
	 * @return  void
	 * @throws  Tortoise_Exception  if the extension is not there
	 */
	public static function init()
	{
		if ( ! extension_loaded('tortoise'))
			throw new Tortoise_Exception('The tortoise module needs the PHP extension tortoise. Put extension=tortoise into the php.ini of :sapi, :ini, and see that "php -m" lists it.', array(
				':sapi' => PHP_SAPI,
				':ini'  => php_ini_loaded_file() ?: 'which there is none of',
			));

		Tortoise::$_path = explode(PATH_SEPARATOR, (string) ini_get('tortoise.path'));
		Tortoise::instance();
		Tortoise_Autoload::register();
		Tortoise::_observe();
	}

	/**
	 * Has the causes of Python errors logged.
	 *
	 * @return  void
	 */
	protected static function _observe()
	{
		if ( ! is_object(Kohana::$log))
			return;

		if (version_compare(Kohana::VERSION, '3.3', '>='))
		{
			Kohana::$log->attach(new Log_Tortoise);
		}
		elseif (Kohana::$errors)
		{
			// Kohana 3.2 logs a text, in which the exception cannot be found any more
			$handler = set_exception_handler(function ($exception) use ( & $handler)
			{
				Log_Tortoise::causes($exception, Log::ERROR);

				call_user_func($handler ?: array('Kohana_Exception', 'handler'), $exception);
			});
		}
	}

	/**
	 * Gives the instance of a group of settings. The first use of a Python class settles the group for the request.
	 *
	 *     $tortoise = Tortoise::instance();
	 *     $tortoise = Tortoise::instance('numbers');
	 *
	 * @param   string    $group  name of a group of config/tortoise.php, [Tortoise::$default] by default
	 * @return  Tortoise
	 * @throws  Tortoise_Exception  if there is no such group, or Python is in use with another one
	 */
	public static function instance($group = NULL)
	{
		if ($group === NULL)
		{
			$group = Tortoise::$_group ?: Tortoise::$default;
		}

		if ( ! isset(Tortoise::$instances[$group]))
		{
			$config = Kohana::$config->load('tortoise');

			if ( ! isset($config[$group]))
				throw new Tortoise_Exception('There is no group :group in config/tortoise.php; there are :groups.', array(
					':group'  => $group,
					':groups' => implode(', ', array_keys($config->as_array())),
				));

			Tortoise::$instances[$group] = new Tortoise($group, $config[$group]);
		}

		if (Tortoise::$_group !== $group)
		{
			Tortoise::$instances[$group]->_apply();
			Tortoise::$_group = $group;
			Tortoise::_announce();
		}

		return Tortoise::$instances[$group];
	}

	/**
	 * Tells the extension where Python classes stand. The autoloader calls it when modules change.
	 *
	 * @param   array  $roots  folders, in the order of their precedence
	 * @return  void
	 */
	public static function roots(array $roots)
	{
		Tortoise::$_roots = $roots;
		Tortoise::_announce();
	}

	/**
	 * Gives the extension all folders: those of the application, those of the settings, and the one of the Python module
	 * `kohana`.
	 *
	 * @return  void
	 */
	protected static function _announce()
	{
		ini_set('tortoise.path', implode(PATH_SEPARATOR, Tortoise::paths()));
	}

	/**
	 * The folders in which Python classes and modules are looked for, in the order of their precedence.
	 *
	 * @return  array
	 */
	public static function paths()
	{
		$paths = array_merge(
			Tortoise::$_roots,
			Tortoise::$_path,
			(array) Tortoise::$instances[Tortoise::$_group]->_config['path'],
			array(dirname(dirname(__DIR__)).DIRECTORY_SEPARATOR.'python')
		);

		return array_values(array_filter($paths));
	}

	/**
	 * @var  string  name of the group
	 */
	protected $_name;

	/**
	 * @var  array  settings of the group
	 */
	protected $_config;

	/**
	 * Keeps the settings. Use [Tortoise::instance].
	 *
	 * @param   string  $name
	 * @param   array   $config
	 */
	protected function __construct($name, array $config)
	{
		$this->_name   = $name;
		$this->_config = $config + array('path' => array(), 'logging' => TRUE, 'level' => 'INFO', 'command' => 'tortoise');
	}

	/**
	 * Makes the session ready for a request, before its first use of Python.
	 *
	 * @return  void
	 * @throws  Tortoise\Exception  if Python cannot be reached
	 */
	public function begin()
	{
		if (Tortoise::$_has_begun)
			return;

		// Before the call, in which PHP may load classes
		Tortoise::$_has_begun = TRUE;

		$logging = ($this->_config['logging'] AND is_object(Kohana::$log));

		try
		{
			Tortoise\call('kohana/begin_request', 'begin', $logging ? $this->_config['level'] : NULL);
		}
		catch (Throwable $e)
		{
			Tortoise::$_has_begun = FALSE;

			throw $e;
		}

		Tortoise::_profile();

		if ($logging AND PHP_SAPI === 'cli')
		{
			// A script's session ends with it, and with that what Python's threads have logged
			register_shutdown_function(array('Tortoise', 'end'));
		}
	}

	/**
	 * Gives each call of a Python method an entry in the profiler, if `Kohana::$profiling`.
	 *
	 * @return  void
	 */
	protected static function _profile()
	{
		if ( ! Kohana::$profiling)
			return;

		Tortoise\observe(
			function ($class, $method)
			{
				return Tortoise::instance()->start($class.'::'.$method);
			},
			function ($benchmark, $failed)
			{
				if ($failed)
				{
					Tortoise::instance()->delete($benchmark);
				}
				else
				{
					Tortoise::instance()->stop($benchmark);
				}
			}
		);
	}

	/**
	 * Fetches what Python's threads have logged.
	 *
	 * @return  void
	 */
	public static function end()
	{
		try
		{
			$status = Tortoise\status();

			if ($status['connected'])
			{
				Tortoise\call('kohana/begin_request', 'end');
				Kohana::$log->write();
			}
		}
		catch (Throwable $e)
		{
			// The session is gone, and its messages too; whatever ended it has been reported
		}
	}

	/**
	 * The name of the group.
	 *
	 * @return  string
	 */
	public function __toString()
	{
		return $this->_name;
	}

	/**
	 * A setting of the group.
	 *
	 * @param   string  $name
	 * @return  mixed   NULL if it is not set
	 */
	public function setting($name)
	{
		return Arr::get($this->_config, $name);
	}

	/**
	 * Opens a Python module, if the setting `modules` lets it in or it is one of the application's.
	 *
	 *     $median = Tortoise::instance()->import('statistics')->median(array(1, 2, 10));
	 *
	 * @param   string  $module  name of the module
	 * @return  Tortoise\PyObject
	 * @throws  Exception  what Python raises when it runs the module
	 */
	public function import($module)
	{
		return $this->profile('import '.$module, 'Tortoise\import', array($module));
	}

	/**
	 * Calls a function of a script below a classes folder.
	 *
	 *     // classes/tools/greeting.py
	 *     echo Tortoise::instance()->call('tools/greeting', 'hello', array('Ada', 'times' => 2));
	 *
	 * @param   string  $script     path of the script without `.py`
	 * @param   string  $function   name of the function
	 * @param   array   $arguments  arguments; those with names are Python's keyword arguments
	 * @return  mixed
	 * @throws  Exception  what Python raises
	 */
	public function call($script, $function, array $arguments = array())
	{
		array_unshift($arguments, $script, $function);

		return $this->profile($script.' '.$function, 'Tortoise\call', $arguments);
	}

	/**
	 * Calls a method of a Python object, as `$object->method()` does.
	 *
	 *     $words = Tortoise::instance()->method($reader, 'words', array('en'));
	 *
	 * @param   object|string  $object     a Python object, or a class for a static method
	 * @param   string         $method     name of the method
	 * @param   array          $arguments  arguments; those with names are Python's keyword arguments
	 * @return  mixed
	 * @throws  Exception  what Python raises
	 */
	public function method($object, $method, array $arguments = array())
	{
		$this->begin();

		return call_user_func_array(array($object, $method), $arguments);
	}

	/**
	 * Calls a function, and adds the time to the profiler's group of this instance if `Kohana::$profiling`.
	 *
	 * @param   string    $name       name of the benchmark
	 * @param   callback  $function
	 * @param   array     $arguments
	 * @return  mixed
	 * @throws  Exception  what the function throws; the benchmark is deleted then
	 */
	public function profile($name, $function, array $arguments = array())
	{
		$this->begin();

		$benchmark = $this->start($name);

		try
		{
			$result = call_user_func_array($function, $arguments);
		}
		catch (Throwable $e)
		{
			$this->delete($benchmark);

			throw $e;
		}

		$this->stop($benchmark);

		return $result;
	}

	/**
	 * Starts a benchmark.
	 *
	 * @param   string  $name
	 * @return  string  its token, or NULL without profiling
	 */
	public function start($name)
	{
		return Kohana::$profiling ? Profiler::start('Python ('.$this->_name.')', $name) : NULL;
	}

	/**
	 * Ends a benchmark.
	 *
	 * @param   string  $benchmark  what [Tortoise::start] gave
	 * @return  void
	 */
	public function stop($benchmark)
	{
		if ($benchmark !== NULL)
		{
			Profiler::stop($benchmark);
		}
	}

	/**
	 * Deletes a benchmark of what has failed.
	 *
	 * @param   string  $benchmark  what [Tortoise::start] gave
	 * @return  void
	 */
	public function delete($benchmark)
	{
		if ($benchmark !== NULL)
		{
			Profiler::delete($benchmark);
		}
	}

	/**
	 * Gives the extension the settings of this group.
	 *
	 * @return  void
	 * @throws  Tortoise_Exception  if Python is in use already, with other settings
	 */
	protected function _apply()
	{
		$settings = array();

		foreach (array('server', 'python', 'timeout', 'token_file', 'modules', 'shared_memory') as $name)
		{
			if (isset($this->_config[$name]))
			{
				$value = $this->_config[$name];
				$settings[$name] = is_array($value) ? implode(',', $value) : (is_bool($value) ? (int) $value : $value);
			}
			elseif (Tortoise::$_group !== NULL)
			{
				// The group before this one may have set it
				$settings[$name] = ini_get('tortoise.'.$name);
			}
		}

		try
		{
			Tortoise\configure($settings);
		}
		catch (Tortoise\AccessException $e)
		{
			throw new Tortoise_Exception('The settings of the group :group of config/tortoise.php cannot be used: :message', array(
				':group'   => $this->_name,
				':message' => $e->getMessage(),
			), 0, $e);
		}
	}

}
