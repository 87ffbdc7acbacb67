<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * What the Python module `kohana` asks of PHP. PHP code has no use for it.
 *
 * @package   Kohana/Tortoise
 * @category  Base
 */
class Kohana_Tortoise_Service {

	/**
	 * A value of the configuration.
	 *
	 * @param   string  $key  `group`, or `group.key.key`
	 * @return  mixed
	 */
	public static function config($key)
	{
		list($group, $path) = explode('.', $key, 2) + array(1 => NULL);

		$values = Kohana::$config->load($group)->as_array();

		// Given the group itself, Arr::path() of Kohana 3.3.6 fails in PHP 8
		return $path === NULL ? $values : Arr::path($values, $path);
	}

	/**
	 * A text in the user's language.
	 *
	 * @param   string  $text
	 * @param   array   $values
	 * @param   string  $language  NULL for the user's
	 * @return  string
	 */
	public static function translate($text, ?array $values = NULL, $language = NULL)
	{
		$text = I18n::get($text, $language);

		return $values ? strtr($text, $values) : $text;
	}

	/**
	 * Adds a message to the log.
	 *
	 * @param   integer  $level
	 * @param   string   $message
	 * @param   array    $values
	 * @return  void
	 */
	public static function log($level, $message, ?array $values = NULL)
	{
		if (is_object(Kohana::$log))
		{
			Kohana::$log->add($level, $message, $values);
		}
	}

	/**
	 * Adds records of Python's `logging` to the log.
	 *
	 * @param   array  $records  level, logger, message, file, line of each
	 * @return  void
	 */
	public static function log_records(array $records)
	{
		foreach ($records as $record)
		{
			list($level, $logger, $message, $file, $line) = $record;

			Tortoise_Service::log($level, $logger.': '.$message.' ~ '.Debug::path($file).' [ '.$line.' ]');
		}
	}

	/**
	 * A value of the cache.
	 *
	 * @param   string  $group  NULL for the default one
	 * @param   string  $key
	 * @return  mixed
	 */
	public static function cache_get($group, $key)
	{
		return Tortoise_Service::_has_cache($group) ? Cache::instance($group)->get($key) : Kohana::cache($key);
	}

	/**
	 * Keeps a value.
	 *
	 * @param   string   $group
	 * @param   string   $key
	 * @param   mixed    $value
	 * @param   integer  $lifetime  seconds; NULL for what the configuration says
	 * @return  void
	 */
	public static function cache_set($group, $key, $value, $lifetime = NULL)
	{
		if ( ! Tortoise_Service::_has_cache($group))
		{
			Kohana::cache($key, $value, $lifetime);
		}
		elseif ($lifetime === NULL)
		{
			Cache::instance($group)->set($key, $value);
		}
		else
		{
			Cache::instance($group)->set($key, $value, $lifetime);
		}
	}

	/**
	 * Forgets a key.
	 *
	 * @param   string  $group
	 * @param   string  $key
	 * @return  void
	 */
	public static function cache_delete($group, $key)
	{
		if (Tortoise_Service::_has_cache($group))
		{
			Cache::instance($group)->delete($key);
		}
		else
		{
			Kohana::cache($key, NULL, 0);
		}
	}

	/**
	 * Whether there is Kohana's Cache module. Only that has groups.
	 *
	 * @param   string  $group
	 * @return  boolean
	 * @throws  Tortoise_Exception  if a group is asked for without it
	 */
	protected static function _has_cache($group)
	{
		$has_cache = class_exists('Cache');

		if ( ! $has_cache AND $group !== NULL)
			throw new Tortoise_Exception('kohana.cache(":group") needs Kohana\'s cache module: enable it in the bootstrap.', array(':group' => $group));

		return $has_cache;
	}

	/**
	 * Redirects the browser.
	 *
	 * @param   string   $uri
	 * @param   integer  $code
	 * @return  void
	 * @throws  HTTP_Exception  in Kohana 3.3; 3.2 ends the request
	 */
	public static function redirect($uri, $code)
	{
		if (method_exists('HTTP', 'redirect'))
		{
			HTTP::redirect($uri, $code);
		}

		Request::current()->redirect($uri, $code);
	}

	/**
	 * The HTTP statuses of Python exceptions.
	 *
	 * @return  array  name of the class => status
	 */
	public static function statuses()
	{
		return (array) Tortoise::instance()->setting('exceptions');
	}

	/**
	 * Makes the exception of an HTTP status.
	 *
	 * @param   integer  $status
	 * @param   string   $message
	 * @param   array    $variables
	 * @param   array    $frames     Python's functions that run: function, class, file, line of each
	 * @return  array    what Python wants to know of it; NULL if there is no such exception
	 */
	public static function http_exception($status, $message, array $variables, array $frames)
	{
		$class = 'HTTP_Exception_'.$status;

		if ( ! class_exists($class))
			return NULL;

		$exception = new $class($message, $variables);

		if (method_exists($exception, 'request') AND class_exists('Request') AND Request::current())
		{
			$exception->request(Request::current());
		}

		return Tortoise_Service::_describe($exception, $frames);
	}

	/**
	 * Makes a validation exception.
	 *
	 * @param   mixed   $data     a Validation, or the data
	 * @param   array   $rules    field => [rule that it broke, parameters of the rule]
	 * @param   string  $message
	 * @param   array   $frames
	 * @return  array
	 */
	public static function validation_exception($data, array $rules, $message, array $frames)
	{
		$validation = is_array($data) ? Validation::factory($data) : $data;

		foreach ($rules as $field => $rule)
		{
			list($name, $parameters) = $rule;

			// As Kohana makes one of a field with a rule
			$validation->label($field, preg_replace('/[^\pL]+/u', ' ', $field));
			$validation->error($field, $name, array_merge(array(isset($data[$field]) ? $data[$field] : NULL), $parameters));
		}

		return Tortoise_Service::_describe(new Validation_Exception($validation, $message), $frames);
	}

	/**
	 * Gives an exception the place in Python that raises it, and says what it is.
	 *
	 * @param   Exception  $exception
	 * @param   array      $frames
	 * @return  array
	 */
	protected static function _describe($exception, array $frames)
	{
		if ($frames)
		{
			$steps = $exception->getTrace();

			while ($steps AND ((isset($steps[0]['class']) AND $steps[0]['class'] === 'Kohana_Tortoise_Service') OR strpos($steps[0]['function'], 'Tortoise\\Bridge\\') === 0))
			{
				array_shift($steps);
			}

			// PHP's first step is the method that PHP has called. Python's functions outside of that one run for calls
			// further down, and the trace would not tell in what order.
			$called = array_search($steps[0]['function'] ?? NULL, array_column($frames, 0), TRUE);
			$trace  = array();

			for ($at = 0; $at < (int) $called; $at++)
			{
				// A step is a function, and the place where it was called
				$trace[] = Tortoise_Service::_step($frames[$at], $frames[$at + 1][2], $frames[$at + 1][3]);
			}

			$places = array(
				'file'  => $frames[0][2],
				'line'  => $frames[0][3],
				'trace' => array_merge($trace, $steps),
			);

			foreach ($places as $name => $value)
			{
				$property = new ReflectionProperty('Exception', $name);
				$property->setValue($exception, $value);
			}
		}

		return array(
			'object'  => $exception,
			'class'   => get_class($exception),
			'message' => $exception->getMessage(),
			'code'    => $exception->getCode(),
			'file'    => $exception->getFile(),
			'line'    => $exception->getLine(),
		);
	}

	/**
	 * A step of a trace.
	 *
	 * @param   array    $frame
	 * @param   string   $file
	 * @param   integer  $line
	 * @return  array
	 */
	protected static function _step(array $frame, $file, $line)
	{
		$step = array('file' => $file, 'line' => $line, 'function' => $frame[0]);

		if ($frame[1] !== NULL)
		{
			$step += array('class' => $frame[1], 'type' => '->');
		}

		return $step;
	}

}
