<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * An exception of Kohana's, and what becomes of any exception: a message of the log, and a page.
 */
class Kohana_Exception extends Exception {

	public function __construct($message = '', ?array $variables = NULL, $code = 0, ?Throwable $previous = NULL)
	{
		parent::__construct(strtr((string) $message, $variables ?: array()), (int) $code, $previous);
	}

	public static function handler($e)
	{
		echo Kohana_Exception::_handler($e)->body();

		exit(1);
	}

	public static function _handler($e)
	{
		Kohana::$log->add(LOG_EMERG, Kohana_Exception::text($e), NULL, array('exception' => $e));
		Kohana::$log->write();

		return Kohana_Exception::response($e);
	}

	public static function text($e)
	{
		return sprintf('%s [ %s ]: %s ~ %s [ %d ]', get_class($e), $e->getCode(), strip_tags($e->getMessage()), Debug::path($e->getFile()), $e->getLine());
	}

	/**
	 * The page. It is told nothing but class, code, message, file, line and trace.
	 */
	public static function response($e)
	{
		$trace = $e->getTrace();

		if ($e instanceof HTTP_Exception AND $trace[0]['function'] === 'factory')
		{
			array_shift($trace);
		}

		return new Response($e instanceof HTTP_Exception ? $e->getCode() : 500, View::factory('kohana/error', array(
			'class'   => get_class($e),
			'code'    => $e->getCode(),
			'message' => $e->getMessage(),
			'file'    => $e->getFile(),
			'line'    => $e->getLine(),
			'trace'   => $trace,
		))->render());
	}

}
