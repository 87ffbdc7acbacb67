<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * Gives a class name to Python if its Python file stands higher in the [Cascading Filesystem](kohana/files) than any PHP
 * file of that name.
 *
 * It has to be asked before Kohana's own autoloader: behind it, a PHP file of any module would win over a Python file of
 * the application.
 *
 * @package   Kohana/Tortoise
 * @category  Base
 */
class Kohana_Tortoise_Autoload {

	/**
	 * @var  array  include paths for which the files were looked up
	 */
	protected static $_paths;

	/**
	 * @var  array  [Tortoise_Manifest::files]
	 */
	protected static $_files = array();

	/**
	 * @var  array  files whose classes are being given to Python: lower case path => TRUE
	 */
	protected static $_claimed = array();

	/**
	 * @var  array  all autoloaders, while none but this one may answer
	 */
	protected static $_silenced;

	/**
	 * Puts this autoloader before all others.
	 *
	 * @return  void
	 */
	public static function register()
	{
		Tortoise_Autoload::refresh();

		spl_autoload_register(array('Tortoise_Autoload', 'load'), TRUE, TRUE);
	}

	/**
	 * Loads a Python class, unless the name is PHP's.
	 *
	 * This runs for every class that PHP does not know yet, and nearly always has nothing to do.
	 *
	 * @param   string   $class  class name
	 * @return  boolean
	 * @throws  Exception  what Python raises when it runs the file
	 */
	public static function load($class)
	{
		if (Tortoise_Autoload::$_paths !== Kohana::include_paths())
		{
			// Modules were enabled or disabled
			Tortoise_Autoload::refresh();
		}

		$key = strtolower(strtr($class, '\\_', '//'));

		if ( ! isset(Tortoise_Autoload::$_files[$key]))
			return FALSE;

		return Tortoise_Autoload::_load($class, Tortoise_Autoload::$_files[$key]);
	}

	/**
	 * Finds the Python files of the include paths that there are now.
	 *
	 * @return  void
	 */
	public static function refresh()
	{
		Tortoise_Autoload::$_paths = Kohana::include_paths();

		$manifest = new Tortoise_Manifest(
			array_map(array('Tortoise_Autoload', '_root'), Tortoise_Autoload::$_paths),
			Kohana::$cache_dir,
			Kohana::$caching ? Kohana::$cache_life : 0
		);

		Tortoise_Autoload::$_files = $manifest->files();

		Tortoise::roots($manifest->roots());
	}

	/**
	 * The folder of an include path that holds classes.
	 *
	 * @param   string  $path
	 * @return  string
	 */
	protected static function _root($path)
	{
		return $path.'classes'.DIRECTORY_SEPARATOR;
	}

	/**
	 * Loads a class that has Python files of its name, in whatever case.
	 *
	 * @param   string   $class
	 * @param   array    $files  path below a classes folder => number of the first include path that has it
	 * @return  boolean
	 */
	protected static function _load($class, array $files)
	{
		$path  = Tortoise_Autoload::_path($class);
		$lower = strtolower($path);

		if (isset(Tortoise_Autoload::$_claimed[$lower]))
		{
			// Python has the class, and the extension asks whether PHP has one of this name, or of another spelling of
			// it, such as Foo\Bar of Foo_Bar: that was decided
			Tortoise_Autoload::_silence();

			return FALSE;
		}

		$is_lower = Tortoise_Autoload::_is_lower();

		$python = isset($files[$path]) ? $files[$path] : NULL;

		if (isset($files[$lower]) AND ($python === NULL OR $files[$lower] < $python))
		{
			if ($is_lower)
			{
				$path   = $lower;
				$python = $files[$lower];
			}
			elseif ($python !== NULL)
			{
				throw new Tortoise_Exception(
					'The class :class stands in :file, but :lower comes before it and cannot be told from it. Rename that file: Kohana :version looks for class files in the case of the class name.',
					array(
						':class'   => $class,
						':file'    => Debug::path(Tortoise_Autoload::_file($python, $path)),
						':lower'   => Debug::path(Tortoise_Autoload::_file($files[$lower], $lower)),
						':version' => Kohana::VERSION,
					)
				);
			}
		}

		if ($python === NULL OR Tortoise_Autoload::_php($class, $is_lower) <= $python)
			return FALSE;

		if ( ! is_file(Tortoise_Autoload::_file($python, $path)))
		{
			// It has gone since the files were listed
			return FALSE;
		}

		Tortoise_Autoload::_claim($class, strtolower(Tortoise_Autoload::_path($class)));

		return TRUE;
	}

	/**
	 * Has the extension declare a Python class.
	 *
	 * @param   string  $class
	 * @param   string  $file   lower case path of its file
	 * @return  void
	 */
	protected static function _claim($class, $file)
	{
		$tortoise = Tortoise::instance();
		$tortoise->begin();

		$benchmark = $tortoise->start('load '.$class);

		Tortoise_Autoload::$_claimed[$file] = TRUE;

		try
		{
			Tortoise\type($class);
		}
		catch (Throwable $e)
		{
			$tortoise->delete($benchmark);

			throw $e;
		}
		finally
		{
			unset(Tortoise_Autoload::$_claimed[$file]);

			Tortoise_Autoload::_restore();
		}

		$tortoise->stop($benchmark);
	}

	/**
	 * Number of the first include path with a PHP file for the class, by the rules of Kohana's autoloaders.
	 *
	 * @param   string   $class
	 * @param   boolean  $is_lower  whether lower case files are looked for
	 * @return  integer
	 */
	protected static function _php($class, $is_lower)
	{
		$names = array();

		if (version_compare(Kohana::VERSION, '3.3', '>='))
		{
			$names[] = Tortoise_Autoload::_path($class);
		}

		if ($is_lower)
		{
			$names[] = str_replace('_', DIRECTORY_SEPARATOR, strtolower($class));
		}

		foreach ($names as $name)
		{
			if ($file = Kohana::find_file('classes', $name))
			{
				foreach (Tortoise_Autoload::$_paths as $rank => $path)
				{
					if (Tortoise_Autoload::_root($path).$name.EXT === $file)
						return $rank;
				}
			}
		}

		return PHP_INT_MAX;
	}

	/**
	 * Whether Kohana looks for class files in lower case: always before 3.3, and after that where its autoloader for
	 * older modules is registered.
	 *
	 * @return  boolean
	 */
	protected static function _is_lower()
	{
		if (version_compare(Kohana::VERSION, '3.3', '<'))
			return TRUE;

		foreach (spl_autoload_functions() as $function)
		{
			if (is_array($function) AND $function[1] === 'auto_load_lowercase')
				return TRUE;
		}

		return FALSE;
	}

	/**
	 * The path of a class below the classes folder, without extension, as Kohana 3.3 has it: underscores divide the
	 * last part of the name only.
	 *
	 * @param   string  $class
	 * @return  string
	 */
	protected static function _path($class)
	{
		$at = strrpos($class, '\\');

		if ($at === FALSE)
			return strtr($class, '_', DIRECTORY_SEPARATOR);

		return strtr(substr($class, 0, $at + 1), '\\', DIRECTORY_SEPARATOR)
			.strtr(substr($class, $at + 1), '_', DIRECTORY_SEPARATOR);
	}

	/**
	 * The Python file of an include path.
	 *
	 * @param   integer  $rank
	 * @param   string   $path
	 * @return  string
	 */
	protected static function _file($rank, $path)
	{
		return Tortoise_Autoload::_root(Tortoise_Autoload::$_paths[$rank]).$path.'.py';
	}

	/**
	 * Takes the other autoloaders away: one of them would load a PHP file that stands lower.
	 *
	 * @return  void
	 */
	protected static function _silence()
	{
		if (Tortoise_Autoload::$_silenced !== NULL)
			return;

		Tortoise_Autoload::$_silenced = spl_autoload_functions();

		foreach (Tortoise_Autoload::$_silenced as $function)
		{
			// This one runs
			if ($function !== array('Tortoise_Autoload', 'load'))
			{
				spl_autoload_unregister($function);
			}
		}
	}

	/**
	 * Brings them back, in their order.
	 *
	 * @return  void
	 */
	protected static function _restore()
	{
		if (Tortoise_Autoload::$_silenced === NULL)
			return;

		spl_autoload_unregister(array('Tortoise_Autoload', 'load'));

		foreach (Tortoise_Autoload::$_silenced as $function)
		{
			spl_autoload_register($function);
		}

		Tortoise_Autoload::$_silenced = NULL;
	}

}
