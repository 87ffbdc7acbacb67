<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * The cascading filesystem, its cache, and the autoloader.
 */
class Kohana_Core {

	const VERSION     = '3.3.0';
	const PRODUCTION  = 10;
	const DEVELOPMENT = 40;

	public static $environment = Kohana::DEVELOPMENT;
	public static $charset     = 'utf-8';
	public static $caching     = FALSE;
	public static $profiling   = TRUE;
	public static $errors      = TRUE;
	public static $cache_dir;
	public static $cache_life  = 60;
	public static $log;
	public static $config;

	protected static $_modules = array();
	protected static $_paths   = array(APPPATH, SYSPATH);
	protected static $_files   = array();
	protected static $_changed = FALSE;

	public static function init(array $settings)
	{
		foreach (array('caching', 'cache_dir', 'errors') as $name)
		{
			if (isset($settings[$name]))
			{
				Kohana::${$name} = $settings[$name];
			}
		}

		Kohana::$profiling = ! empty($settings['profile']);

		if (Kohana::$errors)
		{
			set_exception_handler(array('Kohana_Exception', 'handler'));
			set_error_handler(array('Kohana', 'error_handler'));
		}

		if (Kohana::$caching)
		{
			Kohana::$_files = Kohana::cache('Kohana::find_file()') ?: array();

			register_shutdown_function(function ()
			{
				if (Kohana::$_changed)
				{
					Kohana::cache('Kohana::find_file()', Kohana::$_files);
				}
			});
		}

		Kohana::$log    = Log::instance();
		Kohana::$config = new Config;
	}

	/**
	 * Every warning and deprecation that is reported becomes an exception.
	 */
	public static function error_handler($level, $message, $file = NULL, $line = NULL)
	{
		if (error_reporting() & $level)
			throw new ErrorException($message, $level, 0, $file, $line);

		return TRUE;
	}

	/**
	 * `Foo_Bar` is `Foo/Bar.php`, and `App\Foo_Bar` is `App/Foo/Bar.php`: the case is kept.
	 */
	public static function auto_load($class, $directory = 'classes')
	{
		$parts = explode('\\', $class);
		$last  = array_pop($parts);

		return Kohana::_require($directory, implode('/', array_merge($parts, explode('_', $last))));
	}

	public static function auto_load_lowercase($class, $directory = 'classes')
	{
		return Kohana::_require($directory, strtr(strtolower($class), '_', '/'));
	}

	protected static function _require($directory, $name)
	{
		$file = Kohana::find_file($directory, $name);

		if ($file === FALSE)
			return FALSE;

		require $file;

		return TRUE;
	}

	public static function modules(?array $modules = NULL)
	{
		if ($modules !== NULL)
		{
			foreach ($modules as $name => $path)
			{
				$modules[$name] = realpath($path).'/';
			}

			Kohana::$_modules = $modules;
			Kohana::$_paths   = array_merge(array(APPPATH), array_values($modules), array(SYSPATH));

			foreach ($modules as $path)
			{
				if (is_file($path.'init'.EXT))
				{
					require_once $path.'init'.EXT;
				}
			}
		}

		return Kohana::$_modules;
	}

	public static function include_paths()
	{
		return Kohana::$_paths;
	}

	/**
	 * The first file of that name; of configuration, messages and translations all of them, the last ones first. With
	 * caching, what was not found is kept too.
	 */
	public static function find_file($dir, $file, $ext = NULL, $array = FALSE)
	{
		$path = $dir.'/'.$file.($ext === NULL ? EXT : ($ext ? '.'.$ext : ''));
		$key  = $path.($array ? '_array' : '_path');

		if (Kohana::$caching AND isset(Kohana::$_files[$key]))
			return Kohana::$_files[$key];

		$found = array();

		foreach (Kohana::$_paths as $root)
		{
			if (is_file($root.$path))
			{
				$found[] = $root.$path;
			}
		}

		$is_merged = ($array OR in_array($dir, array('config', 'i18n', 'messages'), TRUE));
		$result    = $is_merged ? array_reverse($found) : ($found ? $found[0] : FALSE);

		if (Kohana::$caching)
		{
			Kohana::$_files[$key] = $result;
			Kohana::$_changed = TRUE;
		}

		return $result;
	}

	public static function load($file)
	{
		return include $file;
	}

	public static function cache($name, $data = NULL, $lifetime = NULL)
	{
		$file = Kohana::$cache_dir.'/'.sha1($name).'.txt';

		if ($data !== NULL)
			return file_put_contents($file, serialize($data), LOCK_EX) !== FALSE;

		if ( ! is_file($file))
			return NULL;

		if (time() - filemtime($file) < ($lifetime === NULL ? Kohana::$cache_life : $lifetime))
			return unserialize(file_get_contents($file));

		unlink($file);

		return NULL;
	}

}
