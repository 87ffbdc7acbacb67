<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * Adds the causes of Python errors to the log, which Kohana leaves out. Writes nothing itself.
 *
 * @package   Kohana/Tortoise
 * @category  Logging
 */
class Kohana_Log_Tortoise extends Log_Writer {

	/**
	 * How many causes are logged. Python gives no more.
	 */
	const MAX_CAUSES = 64;

	/**
	 * Adds a message for each cause of the exceptions among these messages. The other writers get them the next time
	 * that the log is written, at the latest when the request ends.
	 *
	 * @param   array  $messages
	 * @return  void
	 */
	public function write(array $messages): void
	{
		foreach ($messages as $message)
		{
			if (isset($message['additional']['exception']) AND ! isset($message['additional']['is_cause']))
			{
				Log_Tortoise::causes($message['additional']['exception'], $message['level']);
			}
		}
	}

	/**
	 * Logs the causes of an exception, if any of them is Python's or it is itself.
	 *
	 * @param   Throwable  $exception
	 * @param   integer    $level      level of the messages
	 * @return  void
	 */
	public static function causes($exception, $level)
	{
		$is_python = $exception instanceof Tortoise\PythonException;
		$causes    = array();

		while (($exception = $exception->getPrevious()) AND count($causes) < Log_Tortoise::MAX_CAUSES)
		{
			$is_python = ($is_python OR $exception instanceof Tortoise\PythonException);
			$causes[]  = $exception;
		}

		if ($is_python)
		{
			foreach ($causes as $cause)
			{
				Kohana::$log->add($level, 'caused by '.Kohana_Exception::text($cause), NULL, array(
					'exception' => $cause,
					'is_cause'  => TRUE,
				));
			}
		}
	}

}
