<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * Messages, which writers get when the log is written: at the latest when the request ends.
 */
class Log {

	protected static $_instance;

	protected $_messages = array();

	protected $_writers = array();

	public static function instance()
	{
		if (Log::$_instance === NULL)
		{
			Log::$_instance = new Log;

			register_shutdown_function(array(Log::$_instance, 'write'));
		}

		return Log::$_instance;
	}

	public function attach(Log_Writer $writer)
	{
		$this->_writers[] = $writer;

		return $this;
	}

	public function add($level, $message, ?array $values = NULL, ?array $additional = NULL)
	{
		$this->_messages[] = array(
			'time'       => time(),
			'level'      => $level,
			'body'       => $values ? strtr($message, $values) : $message,
			'additional' => $additional ?: array(),
		);

		return $this;
	}

	public function write()
	{
		$messages = $this->_messages;
		$this->_messages = array();

		if ($messages)
		{
			foreach ($this->_writers as $writer)
			{
				$writer->write($messages);
			}
		}
	}

}
