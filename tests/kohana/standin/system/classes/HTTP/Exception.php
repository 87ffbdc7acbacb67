<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * A status that ends a request.
 */
abstract class HTTP_Exception extends Kohana_Exception {

	protected $_code = 0;

	public static function factory($code, $message = NULL, ?array $variables = NULL)
	{
		$class = 'HTTP_Exception_'.$code;

		return new $class($message, $variables);
	}

	public function __construct($message = NULL, ?array $variables = NULL, ?Throwable $previous = NULL)
	{
		parent::__construct($message, $variables, $this->_code, $previous);
	}

}
